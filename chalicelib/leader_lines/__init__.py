"""How the amount of a statement's line was determined, from the order to the journal."""
