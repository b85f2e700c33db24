"""All that may happen in a town."""

from tests.soak import (
    agreeing,
    leaders,
    looking_after_books,
    operations,
    paying_out,
    taking_back,
)

OPERATIONS = [
    *operations.OPERATIONS,
    *paying_out.OPERATIONS,
    *agreeing.OPERATIONS,
    *taking_back.OPERATIONS,
    *leaders.OPERATIONS,
    *looking_after_books.OPERATIONS,
]
