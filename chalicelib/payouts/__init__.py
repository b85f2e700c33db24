"""Money sent to leaders and suppliers: gathered in batches, approved, sent, and seen to arrive."""
