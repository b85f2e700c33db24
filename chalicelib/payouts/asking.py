"""Asks for the pages of a batch to be gone through."""

from chalicelib.platform import queues


def ask_for_page(
    batch_id: str, number: int, *, after: str | None = None, give_up: bool = False
) -> None:
    """Send a page on its way; `after` is the party that the page before it ends with."""
    data = {"page": number, "after": after, "give_up": give_up}
    queues.send(queues.PAYOUT_PAGE, [{"subject": batch_id, "data": data}])


def ask_for_pages(batch_id: str, number: int) -> None:
    """Send all pages, so many, on their way."""
    messages = [{"subject": batch_id, "data": {"page": n}} for n in range(number)]
    queues.send(queues.PAYOUT_PAGE, messages)
