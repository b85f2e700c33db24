"""How many units of each SKU there are: for sale, reserved, and paid but not shipped."""
