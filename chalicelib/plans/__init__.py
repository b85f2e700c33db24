"""Commission plans: what leaders earn by what they sell, in versions that are never edited, and
who changed what of them and of the leaders under them."""
