"""Payouts: accounts to pay to, batches on their way, and what becomes of each payout."""

from typing import cast

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.payouts import accounts, batches, results
from chalicelib.payouts.accounts import Details
from chalicelib.payouts.rules import BatchKind, Method, Party, Told
from chalicelib.settlement import runs
from chalicelib.settlement.run_store import TroubleRow
from tests.soak.happening import Operations
from tests.soak.town import OPERATOR, Town

OPERATIONS = Operations()
happens = OPERATIONS.happens

# Who makes a batch may not approve it.
ANOTHER_OPERATOR = Caller("operator", "op_other")
KINDS: tuple[BatchKind, ...] = ("leaders", "suppliers")
METHODS: tuple[Method, ...] = ("bank_file", "stripe", "manual")
TOLD: tuple[Told, ...] = ("paid", "paid", "returned", "failed")
# Most of those that nobody knows of are told first; some are told twice, one way or the other.
OUTCOMES = ("", "", "", "unknown", "paid", "failed")


@happens(2)
def name_an_account(town: Town) -> None:
    party = town.chance.choice(
        [
            *(Party("leader", leader_id) for leader_id in town.leader_ids),
            *(Party("supplier", supplier_id) for supplier_id in town.supplier_ids),
        ]
    )
    number = town.number()
    details = town.chance.choice(
        [
            Details("Somebody", iban=f"DE8937040044{number:010}"),
            Details("Somebody", stripe_account=f"acct_{number}"),
        ]
    )
    accounts.set_account(party, details, OPERATOR)


@happens(3)
def prepare_a_batch(town: Town) -> None:
    kind, method = town.chance.choice(KINDS), town.chance.choice(METHODS)
    minimum = town.chance.choice([1, 1, 1000])
    batches.make(town.currency, kind, method, minimum, OPERATOR, town.request())


@happens(3)
def approve_a_batch(town: Town) -> None:
    caller = town.chance.choice([OPERATOR, ANOTHER_OPERATOR, ANOTHER_OPERATOR])
    batches.approve(_batch(town, "prepared"), caller, town.request(caller))


@happens(3)
def send_a_batch(town: Town) -> None:
    batches.send(_batch(town, "approved"), OPERATOR, town.request())


@happens(1)
def cancel_a_batch(town: Town) -> None:
    batches.cancel(_batch(town, "prepared", "approved", "sent"), OPERATOR, town.request())


@happens(5)
def tell_what_became_of_a_payout(town: Town) -> None:
    payout = town.seen.one("payout", town.chance.choice(OUTCOMES))
    status, reference = town.chance.choice(TOLD), f"B{town.number()}"
    results.tell(payout["pk"]["S"], status, reference, town.request())


@happens(1)
def try_a_run_dry(town: Town) -> None:
    runs.start_dry(_yesterday(town), town.request())


@happens(1)
def trouble_with_a_leader(town: Town) -> None:
    """From now on one cannot be settled, or all can again."""
    town.unfit = set() if town.unfit else {town.chance.choice(town.leader_ids)}


@happens(2)
def retry_a_leader(town: Town) -> None:
    """One that a run of late has set aside."""
    trouble = TroubleRow.from_raw_data(town.seen.one("trouble"))
    runs.retry(trouble.run_id, trouble.pk)


def _batch(town: Town, *statuses: str) -> str:
    return cast(str, town.seen.one("batch", *statuses)["pk"]["S"])


def _yesterday(town: Town) -> str:
    return clock.day_before(town.now().date()).isoformat()
