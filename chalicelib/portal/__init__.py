"""The supplier's page: what waits, with its clocks, and what was sent; for people, in a browser."""
