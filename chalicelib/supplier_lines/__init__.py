"""Why an amount of a supplier's statement is what it is: one line with all that it follows from."""
