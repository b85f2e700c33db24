"""The books held against everything they tell of: by tests, at night, and when an operator asks."""
