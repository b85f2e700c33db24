"""The books: double entry, written once, and balances that follow from it. Knows no other domain."""
