"""What customers' banks take back: a refund that has left, lost, or given back to each side."""
