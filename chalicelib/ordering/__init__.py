"""Orders from the basket to the money: pricing, stock, limits, expiry and payment."""
