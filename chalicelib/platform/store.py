"""Reading: strongly consistent by key, eventually consistent through an index."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pynamodb.attributes import Attribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactGet

from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import PartlyAnswered, retrying
from chalicelib.platform.table import EntityRow, Row, connection

M = TypeVar("M", bound=Row)
E = TypeVar("E")

GET_LIMIT = 100


@dataclass(frozen=True)
class Key:
    """Where one item lies: the kind of row, and its `pk` and `sk`."""

    row: type[Row]
    pk: str
    sk: str


def get(row: type[M], pk: str, sk: str) -> M | None:
    """The item with that key as it is now, or None."""

    def read() -> M | None:
        try:
            return row.get(pk, sk, consistent_read=True)
        except DoesNotExist:
            return None

    return retrying(read)


def get_together(keys: Sequence[Key]) -> list[Any]:
    """Up to 100 items of any tables as they were at one instant, in order; None where absent."""

    def read() -> list[Any]:
        with TransactGet(connection=connection()) as snapshot:
            futures = [snapshot.get(key.row, key.pk, key.sk) for key in keys]
        return [_result(future) for future in futures]

    return retrying(read)


def get_many(
    row: type[M], keys: Iterable[tuple[str, str]], *, only: list[str] | None = None
) -> list[M]:
    """The items of one table that exist among `keys`, in the order of `keys`; of each `only` some
    attributes, where not all are asked for."""
    wanted = list(dict.fromkeys(keys))
    unread = list(wanted)
    found: dict[tuple[str, str], M] = {}

    def read() -> None:
        # PynamoDB's own loop asks for what was held back again at once, and without an end.
        while unread:
            items, held_back = _read_batch(row, unread[:GET_LIMIT], only)
            found.update(((each.pk, each.sk), each) for each in items)
            unread[:GET_LIMIT] = held_back
            if held_back:
                raise PartlyAnswered

    retrying(read)
    return [found[key] for key in wanted if key in found]


def missing(keys: Iterable[Key]) -> set[Key]:
    """Those of these keys under which nothing lies."""
    of_row = defaultdict[type[Row], set[Key]](set)
    for key in keys:
        of_row[key.row].add(key)
    return {key for row, some in of_row.items() for key in _missing(row, some)}


def _missing(row: type[Row], keys: Collection[Key]) -> Iterator[Key]:
    found = get_many(row, [(key.pk, key.sk) for key in keys], only=["pk", "sk"])
    there = {(each.pk, each.sk) for each in found}
    return (key for key in keys if (key.pk, key.sk) not in there)


def query(
    row: type[M],
    pk: str,
    *,
    where: Condition | None = None,
    newest_first: bool = False,
    limit: int | None = None,
) -> list[M]:
    """The items of one partition, by `sk`."""
    return retrying(
        lambda: list(
            row.query(
                pk,
                range_key_condition=where,
                consistent_read=True,
                scan_index_forward=not newest_first,
                limit=limit,
            )
        )
    )


def newest_within(row: type[M], pk: str, prefix: str, page: PageRequest) -> Page[M]:
    """One page of what lies under a prefix in one partition, by falling `sk`."""
    within = row.sk.between(prefix, page.after) if page.after else row.sk.startswith(prefix)
    # The one that the page is behind is found once more.
    rows = query(row, pk, where=within, newest_first=True, limit=page.limit + 2)
    rows = [each for each in rows if each.sk != page.after]
    shown = tuple(rows[: page.limit])
    return Page(shown, shown[-1].sk if len(rows) > page.limit else None)


def newest(
    index: Any, hash_keys: Sequence[str], sort_key: Attribute[str], page: PageRequest
) -> Page[Any]:
    """One page of an index by falling `sort_key`, merged over the partitions `hash_keys`."""
    older = sort_key < page.after if page.after else None
    rows: list[Any] = []
    for hash_key in hash_keys:
        rows += _query_index(index, hash_key, older, page.limit + 1, newest_first=True)
    rows.sort(key=lambda row: getattr(row, sort_key.attr_name), reverse=True)
    shown = tuple(rows[: page.limit])
    more = len(rows) > page.limit
    return Page(shown, getattr(shown[-1], sort_key.attr_name) if more else None)


def whole(row: type[EntityRow[E]], sk: str, found: Page[Any]) -> Page[E]:
    """The entities behind a page of an index that holds keys alone; without those gone since."""
    rows = get_many(row, [(each.pk, sk) for each in found.items])
    return Page(tuple(each.to_entity() for each in rows), found.next_after)


def oldest(
    index: Any,
    hash_keys: Sequence[str],
    where: Condition | None,
    sort_key: Attribute[Any],
    limit: int | None = None,
) -> list[Any]:
    """All rows, or the first `limit`, of an index by rising `sort_key`, merged over partitions."""
    rows: list[Any] = []
    for hash_key in hash_keys:
        rows += _query_index(index, hash_key, where, limit, newest_first=False)
    rows.sort(key=lambda row: getattr(row, sort_key.attr_name))
    return rows[:limit]


def pages(
    index: Any, hash_key: str, size: int, where: Condition | None = None
) -> Iterator[list[Any]]:
    """All rows of one partition of an index by its sort key, so many at a time."""
    start = None
    while True:
        found, start = _index_page(index, hash_key, size, where, start)
        yield found
        if start is None:
            return


def _index_page(
    index: Any, hash_key: str, size: int, where: Condition | None, start: Any
) -> tuple[list[Any], Any]:
    def read() -> tuple[list[Any], Any]:
        answer = index.query(
            hash_key,
            range_key_condition=where,
            limit=size,
            page_size=size,
            last_evaluated_key=start,
        )
        return list(answer), answer.last_evaluated_key

    return retrying(read)


def _query_index(
    index: Any, hash_key: str, where: Condition | None, limit: int | None, *, newest_first: bool
) -> list[Any]:
    return retrying(
        lambda: list(
            index.query(
                hash_key,
                range_key_condition=where,
                scan_index_forward=not newest_first,
                limit=limit,
            )
        )
    )


def scan(row: type[M], *, limit: int) -> list[M]:
    """The first `limit` items of a table that is almost empty at rest."""
    return retrying(lambda: list(row.scan(consistent_read=True, limit=limit)))


def scan_page(
    row: type[M],
    kinds: Sequence[str],
    size: int,
    after: Sequence[str] | None,
    *,
    prefix: str | None = None,
) -> tuple[list[M], tuple[str, str] | None]:
    """Of the next `size` items of a whole table those whose `sk` is one of `kinds`, or begins with
    `prefix`, and the key to go on behind (None at the table's end)."""
    wanted: Condition = row.sk.is_in(*kinds)
    if prefix:
        wanted = wanted | row.sk.startswith(prefix)
    start = {"pk": {"S": after[0]}, "sk": {"S": after[1]}} if after else None

    def read() -> Any:
        answer = row.scan(wanted, consistent_read=True, page_size=size, last_evaluated_key=start)
        return next(answer.page_iter)

    page = retrying(read)
    last = page.get("LastEvaluatedKey")
    found = [row.from_raw_data(item) for item in page["Items"]]
    return found, (last["pk"]["S"], last["sk"]["S"]) if last else None


def _read_batch(
    row: type[M], keys: Sequence[tuple[str, str]], only: list[str] | None
) -> tuple[list[M], list[tuple[str, str]]]:
    """The items among these keys, and the keys that the store would not look at now."""
    named = [{"pk": pk, "sk": sk} for pk, sk in keys]
    items, held_back = row._batch_get_page(  # type: ignore[no-untyped-call]
        named, consistent_read=True, attributes_to_get=only
    )
    found = [row.from_raw_data(item) for item in items]
    return found, [(key["pk"]["S"], key["sk"]["S"]) for key in held_back or ()]


def _result(future: Any) -> Row | None:
    try:
        found: Row = future.get()
        return found
    except DoesNotExist:
        return None
