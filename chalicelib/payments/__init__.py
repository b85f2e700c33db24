"""Money in and back: payment providers behind one port, receipts, and refunds on their way."""
