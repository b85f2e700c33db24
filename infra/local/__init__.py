"""A local cloud: MiniStack on loopback, with the very template that AWS gets."""
