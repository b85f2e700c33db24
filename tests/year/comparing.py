"""What the store says a year has come to, under the names that the oracle uses."""

from collections import Counter
from collections.abc import Iterator, Sequence

from chalicelib.ledger import store as ledger
from chalicelib.ledger.sides import SUPPLIERS_PURPOSES
from chalicelib.platform.pages import PageRequest
from chalicelib.settlement import store as settlement
from chalicelib.settlement.rules import Statement
from infra.demo.figures import Difference, differences
from tests.year.journal import Journal
from tests.year.market import Market
from tests.year.oracle import Figures

LEADERS_PURPOSES = ("pending", "available", "in_payout", "collected")
SHARED = {
    "platform: revenue": ("platform:revenue", -1),
    "cash: customers": ("cash:local", 1),
    "cash: bank": ("cash:bank", 1),
    "customers prepaid": ("customer_prepayments", -1),
    "refunds in flight": ("refunds_in_flight", -1),
}


def compare(
    right: Figures, payouts: Sequence[dict[str, int]], market: Market, journal: Journal
) -> list[Difference]:
    """Every figure of leaders, suppliers, the platform and each batch that is not as it must be."""
    nothing = {f"{party}: {what}": 0 for party, _ in _parties(market) for what in ("paid", "left")}
    nothing |= {"customers prepaid": 0, "refunds in flight": 0}
    found = differences(nothing | right.balances, _balances(market, journal))
    for number, (sent, was_sent) in enumerate(zip(right.payouts, payouts, strict=True)):
        named = [
            {f"batch {number}, {party}": n for party, n in each.items()}
            for each in (sent, was_sent)
        ]
        found += differences(*named)
    return found


def findings(market: Market, journal: Journal) -> Iterator[str]:
    """What does not fit together in the store itself."""
    yield from journal.findings
    if out := sum(journal.balances.values()):
        yield f"the journal is out by {out}"
    known = set()
    for name, party in _parties(market):
        row = ledger.accounts_of(party)
        for purpose in {*LEADERS_PURPOSES, *SUPPLIERS_PURPOSES}:
            account, kept = f"{party}:{purpose}", getattr(row, purpose)
            known.add(account)
            if kept != (due := journal.balances[account]):
                yield f"{name}: {purpose} is {kept}, not {due}"
    known |= {account for account, _ in SHARED.values()}
    yield from (f"nobody knows of {account}" for account in journal.balances.keys() - known)
    for store, leader_id in market.leaders.items():
        yield from _unchained(f"leader {store}", leader_id, journal)


def _unchained(name: str, leader_id: str, journal: Journal) -> Iterator[str]:
    """Each statement opens where the one before has closed, the last with what is available."""
    closes = -journal.balances[f"leader:{leader_id}:available"]
    for statement in _statements(leader_id):
        if statement.closing_balance != closes:
            yield f"{name}: {statement.run_id} closes at {statement.closing_balance}, not {closes}"
        closes = statement.opening_balance
    if closes:
        yield f"{name}: the first statement opens at {closes}"


def _statements(leader_id: str) -> Iterator[Statement]:
    """The newest first."""
    after = None
    while True:
        page = settlement.statements(leader_id, PageRequest("statements", 100, after))
        yield from page.items
        after = page.next_after
        if after is None:
            return


def _balances(market: Market, journal: Journal) -> dict[str, int]:
    held = Counter[str]()
    for account, balance in journal.balances.items():
        held[account.rpartition(":")[0]] -= balance
    named = {}
    for name, party in _parties(market):
        named[f"{name}: paid"] = ledger.paid_out(party)
        named[f"{name}: left"] = held[party]
    return named | {name: sign * journal.balances[of] for name, (of, sign) in SHARED.items()}


def _parties(market: Market) -> Iterator[tuple[str, str]]:
    """Each leader and supplier by the data's name, and its accounts' beginning."""
    yield from ((f"leader {n}", f"leader:{id_}") for n, id_ in market.leaders.items())
    yield from ((f"supplier {n}", f"supplier:{id_}") for n, id_ in market.suppliers.items())
