"""A day of real shopping, by two plans, comes to what pandas makes of the raw rows."""
