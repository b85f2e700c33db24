"""Who takes part: suppliers with their API keys, and leaders with their communities."""
