"""The books: double entry, written once, and what follows from it. Knows no other domain."""
