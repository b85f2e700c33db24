"""The books: double entry, written once, and what follows from it. Its rules know no domain."""
