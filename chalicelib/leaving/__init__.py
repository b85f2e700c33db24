"""Leaders that leave: no more orders, the last returns, the last statement, a payout or a claim."""
