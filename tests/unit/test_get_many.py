"""Reading many items: what the store holds back is asked for again, with patience and an end."""

from typing import Any

import pytest

from chalicelib.kernel.errors import Busy
from chalicelib.platform import retries, store
from chalicelib.stock.store import StockRow

KEYS = [(f"sku_{n}", "stock") for n in range(130)]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(retries._patiently, "sleep", lambda _: None)


class Table:
    """Answers at most so many keys of a batch."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answered: int) -> None:
        self.answered, self.asked = answered, list[int]()
        monkeypatch.setattr(StockRow, "_batch_get_page", self._page)

    def _page(self, keys: list[Any], **_: Any) -> tuple[list[Any], list[Any] | None]:
        self.asked.append(len(keys))
        items = [{"pk": {"S": key["pk"]}, "sk": {"S": key["sk"]}} for key in keys[: self.answered]]
        held = [{"pk": {"S": k["pk"]}, "sk": {"S": k["sk"]}} for k in keys[self.answered :]]
        return items, held or None


def test_all_are_found_in_the_order_they_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(monkeypatch, answered=100)
    assert [row.pk for row in store.get_many(StockRow, KEYS)] == [pk for pk, _ in KEYS]
    assert table.asked == [100, 30]


def test_what_is_held_back_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(monkeypatch, answered=50)
    assert [row.pk for row in store.get_many(StockRow, KEYS)] == [pk for pk, _ in KEYS]
    assert table.asked == [100, 80, 30]


def test_a_store_that_answers_nothing_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(monkeypatch, answered=0)
    with pytest.raises(Busy):
        store.get_many(StockRow, KEYS)
    assert len(table.asked) < 20
