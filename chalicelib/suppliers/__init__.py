"""The suppliers' side of the money: by what they are paid, fees, deposits, balance, statements."""
