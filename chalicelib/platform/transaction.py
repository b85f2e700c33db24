"""Writing: everything one use case changes, in one DynamoDB transaction or not at all.

Every write names its condition and what is raised where the condition does not hold. Events are
written with the change they tell of and sent to their queues once it has committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.kernel.errors import Overtaken, Stale
from chalicelib.kernel.events import Event
from chalicelib.platform import outbox
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import Row, absent, connection

WRITE_LIMIT = 100

Otherwise = Exception | type[Exception]


@dataclass(frozen=True)
class Check:
    """Holds a condition on an item that is not written."""

    row: Row
    when: Condition
    otherwise: Otherwise = Stale

    def add_to(self, batch: TransactWrite) -> None:
        batch.condition_check(type(self.row), self.row.pk, self.row.sk, condition=self.when)


@dataclass(frozen=True)
class Delete:
    """Takes an item away."""

    row: Row
    when: Condition | None = None
    otherwise: Otherwise = Stale

    def add_to(self, batch: TransactWrite) -> None:
        batch.delete(self.row, condition=self.when)


@dataclass(frozen=True)
class Put:
    """Writes an item whole."""

    row: Row
    when: Condition | None
    otherwise: Otherwise = Stale

    def add_to(self, batch: TransactWrite) -> None:
        batch.save(self.row, condition=self.when)


@dataclass(frozen=True)
class Update:
    """Changes some attributes of an item."""

    row: Row
    actions: Sequence[Action]
    when: Condition | None = None
    otherwise: Otherwise = Stale

    def add_to(self, batch: TransactWrite) -> None:
        batch.update(self.row, list(self.actions), condition=self.when)


Write = Check | Delete | Put | Update

# The order in which PynamoDB sends kinds of writes, and so the order of DynamoDB's reasons.
_SENT_IN_ORDER: tuple[type[Any], ...] = (Check, Delete, Put, Update)


def create(row: Row, otherwise: Otherwise = Stale) -> Put:
    """Write an item that must not exist yet."""
    return Put(row, absent(), otherwise)


class Recorder(Protocol):
    """Remembers the answer to a request together with what the request changed."""

    recorded: bool

    def record(self, result: Any) -> Write: ...


class Transaction:
    """Collects writes and events, then commits them once.

    Raises, from `commit`, the `otherwise` of the first write whose condition failed (Stale where
    none was given), one that tells of another writer before all others; or Busy when the store
    stays pressed.
    """

    def __init__(self, recorder: Recorder | None = None) -> None:
        self._writes: list[Write] = []
        self._events: list[Event] = []
        self._recorder = recorder

    def add(self, *writes: Write | None) -> None:
        self._writes.extend(write for write in writes if write is not None)

    def publish(self, *events: Event) -> None:
        self._events.extend(events)

    @property
    def fits(self) -> bool:
        """Whether DynamoDB takes all of it in one transaction."""
        recording = 1 if self._recorder else 0
        return len(self._writes) + len(self._events) + recording <= WRITE_LIMIT

    def commit(self, result: Any = None) -> None:
        """Write all of it; `result` is what a repeat of the same request will be answered."""
        recording = [self._recorder.record(result)] if self._recorder else []
        records = outbox.records(self._events)
        published = [Put(record, when=None) for record in records]
        _write([*recording, *self._writes, *published])
        if self._recorder:
            self._recorder.recorded = True
        outbox.send(records)


def write(*writes: Write) -> None:
    """Commit a few writes that tell nobody anything."""
    transaction = Transaction()
    transaction.add(*writes)
    transaction.commit()


def write_alone(put: Put) -> None:
    """Write one item that tells nobody anything, for half of what a transaction of one costs.

    An answer that is lost on the way is asked for again by the library, and what was written then
    counts as another writer's: only for writes to which that is no matter.
    """
    try:
        retrying(lambda: put.row.save(condition=put.when))
    except PutError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        raise put.otherwise from error


def _write(writes: Sequence[Write]) -> None:
    def send() -> None:
        with TransactWrite(connection=connection()) as batch:
            for each in writes:
                each.add_to(batch)

    try:
        retrying(send)
    except TransactWriteError as error:
        failed = _failed(writes, error)
        if failed is None:
            raise
        raise failed.otherwise from error


def _failed(writes: Sequence[Write], error: TransactWriteError) -> Write | None:
    """The first write, in the order they were added, whose condition did not hold.

    One that says that another writer came first explains the others: an order that is paid
    already has no reserved stock left to commit.
    """
    as_sent = sorted(writes, key=lambda each: _SENT_IN_ORDER.index(type(each)))
    reasons = {
        id(each)
        for each, reason in zip(as_sent, error.cancellation_reasons, strict=False)
        if reason and reason.code == "ConditionalCheckFailed"
    }
    failed = [each for each in writes if id(each) in reasons]
    return next((each for each in failed if _overtaken(each.otherwise)), next(iter(failed), None))


def _overtaken(otherwise: Otherwise) -> bool:
    kind = otherwise if isinstance(otherwise, type) else type(otherwise)
    return issubclass(kind, Overtaken)
