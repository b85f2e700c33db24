"""Money in and back: payment providers behind one port, receipts, refunds, remittances."""
