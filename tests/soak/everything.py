"""All that may happen in a town."""

from tests.soak import agreeing, operations, paying_out

OPERATIONS = [*operations.OPERATIONS, *paying_out.OPERATIONS, *agreeing.OPERATIONS]
