"""What operators do about the books: statements are reconciled, and months are closed."""

from chalicelib.audit import closing, running, starting
from chalicelib.audit import store as audits
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict
from chalicelib.ledger.periods import month_of
from chalicelib.reconciliation import clearing, going_on, resolving, taking
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.clearing import Wanted
from chalicelib.reconciliation.lines import Format
from chalicelib.reconciliation.open_items import Goes, Item
from chalicelib.reconciliation.resolving import Said
from chalicelib.reconciliation.rules import RESOLUTIONS, NumberedDifference, Resolution
from chalicelib.reconciliation.taking import Asked
from tests.soak.happening import Operations
from tests.soak.operations import come_to_rest
from tests.soak.rows import NothingToDo
from tests.soak.statements import file_of
from tests.soak.town import MONDAY, OPERATOR, Town

OPERATIONS = Operations()
happens = OPERATIONS.happens

# A statement is drawn up once it has so many lines.
LINES = 60
BANK = "cash:bank"
BANK_FORMATS: tuple[Format, ...] = ("csv", "camt.053")


@happens(3)
def take_a_statement(town: Town) -> None:
    """Of a bank, or of a provider of payments. It is gone on with before anything else moves."""
    today = town.now().date()
    ready = town.statements.ready(today, LINES)
    if not ready:
        raise NothingToDo("no account has moved enough")
    account = town.chance.choice(ready)
    begins = town.statements.begins(account)
    lines = town.statements.draw_up(account, today, _sent(town))
    form: Format = town.chance.choice(BANK_FORMATS) if account == BANK else "stripe"
    raw = file_of(form, lines, town.currency, f"S{town.number()}")
    made = taking.take(Asked(account, form, begins), raw, OPERATOR, town.request())
    town.statements.taken(made.id, account)
    while not made.is_done:
        going_on.go_on(made.id)
        made = taking.reconciliation_of(made.id)
    town.statements.open += [(made.id, n + 1) for n in range(made.differences)]


def _sent(town: Town) -> dict[str, int]:
    """A payout that nobody has told the result of."""
    if town.chance.random() < 0.5:
        return {}
    payout = town.seen.one("payout", "")
    return {payout["pk"]["S"]: int(payout["amount"]["N"])}


@happens(9)
def resolve_a_difference(town: Town) -> None:
    if not town.statements.open:
        raise NothingToDo("no difference is open")
    reconciliation_id, n = town.chance.choice(town.statements.open)
    difference = reconciliations.get_difference(reconciliation_id, n)
    assert difference is not None
    said = Said(_resolution(town, difference), "looked into", None)
    try:
        resolved = resolving.resolve(reconciliation_id, n, said, OPERATOR, town.request())
    except Conflict as conflict:
        if conflict.code != "found_meanwhile":
            raise
        accepted = Said("accept", "found meanwhile", None)
        resolved = resolving.resolve(reconciliation_id, n, accepted, OPERATOR, town.request())
    town.statements.resolved(reconciliation_id, n, resolved.posted)
    if resolved.kind == "wrong_account" and resolved.resolution == "post_to_other_account":
        moved = (*resolved.entries, *resolved.posted)
        town.statements.tells_no_more(resolved.difference.account, moved)
    if resolved.resolution == "post_to_suspense":
        town.statements.suspended += resolved.posted


@happens(4)
def clear_an_open_item(town: Town) -> None:
    """Somebody knows whose it is, or of some of it."""
    if not town.statements.suspended:
        raise NothingToDo("nothing is in suspense")
    entry_id = town.chance.choice(town.statements.suspended)
    item = clearing.open_item(entry_id).item
    if not item.uncleared:
        town.statements.suspended.remove(entry_id)
        raise NothingToDo("it was found, or made up for")
    some = town.chance.choice([None, town.chance.randint(1, item.uncleared)])
    wanted = Wanted(*town.chance.choice(_places(town, item)), f"C{town.number()}", some)
    try:
        clearing.clear(entry_id, wanted, OPERATOR, town.request())
    except Conflict as conflict:
        # Less is left of the other item.
        if (wanted.goes, conflict.code) != ("item", "more_than_left"):
            raise


def _places(town: Town, item: Item) -> list[tuple[Goes, str]]:
    others = (clearing.open_item(each).item for each in town.statements.suspended)
    return [
        ("payer", BANK),
        ("income", ""),
        ("capital", ""),
        *(("item", each.entry.id) for each in others if each.is_owed != item.is_owed),
    ]


def _resolution(town: Town, difference: NumberedDifference) -> Resolution:
    """One that takes the books to what the statement says, where there is such."""
    moving = [each for each in RESOLUTIONS[difference.kind] if each not in ("accept", "match")]
    if not difference.difference.account:
        moving = [each for each in moving if each != "post_to_other_account"]
    return town.chance.choice(moving) if moving and difference.changes else "accept"


@happens(1)
def close_the_last_month(town: Town) -> None:
    """At rest, so that its audit has nothing to find."""
    month = month_of(clock.day_before(town.now().date().replace(day=1)))
    if month < month_of(MONDAY.date()) or month in town.closed:
        raise NothingToDo("no month is over")
    come_to_rest(town)
    starting.start()
    running.go_on(town.now())
    audit = audits.head().completed
    if audit is None or audit.findings:
        raise AssertionError(f"the audit of a store at rest finds {audit}")
    closing.close(month, OPERATOR.id, town.request())
    town.closed.add(month)
