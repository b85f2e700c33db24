"""Values and words every domain shares. Standard library only."""
