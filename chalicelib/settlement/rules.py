"""Commission, and what a settlement run takes of it (contract, sections 4 and 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from chalicelib.kernel.money import BASIS_POINTS, at_rate
from chalicelib.plans.rules import PlanBonusKind

RunStatus = Literal["running", "completed", "failed"]
LineKind = Literal[
    "commission",
    "spread",
    "bonus",
    "cap",
    "clawback",
    "kept",
    "held",
    "payout",
    "payout_returned",
    "netting",
    "adjustment",
]
Method = Literal["none", "half_up", "largest_remainder", "by_difference", "limited"]
# The first day that can be open: what is posted to a leader before any run waits under it.
FIRST_DAY = date.min.isoformat()
# In place of a day: what is posted to the available balance is taken by every run before the first.
AT_ONCE = ""


def commission(basis: str, net_of_tax: int, cost: int, rate_bps: int) -> int:
    """A line's commission: its rate of the net, or of what the net leaves over the cost."""
    return at_rate(commission_base(basis, net_of_tax, cost), rate_bps)


def commission_base(basis: str, net_of_tax: int, cost: int) -> int:
    """What commission is a part of, never below zero. A discount may take more than the offer's
    own price where a leader asks more: its spread is not touched by it."""
    return max(0, net_of_tax if basis == "sales" else net_of_tax - cost)


class Sold(NamedTuple):
    """Units, what was paid for them without tax and what their seller asked above the offer's
    price, that `spread`, and the cost that commission is counted on, which leaves the profit."""

    units: int
    net: int
    spread: int
    cost: int


def sold_less(sold: Sequence[int], other: Sequence[int]) -> Sequence[int]:
    """What it has more than the other; nothing of lines that do not keep it."""
    return tuple(n - was for n, was in zip(sold, other, strict=True))


@dataclass(frozen=True)
class EarnedLine:
    """One line of a statement: where an amount comes from. `matured_on` is a business date.

    `rule` says which rule of which plan gave the rate, and `entry_id` is the journal entry that
    posted it. `day_cap` is what the leader may earn at most by such lines of one delivery day,
    `delivered_on`; None where there is no cap. `borne_by` is the account that pays for what is
    kept of a refund, and for which a cap withholds of it; empty where nobody does. `method` says
    how the amount was made of the rate. `voided_by` are the entries that took of what `entry_id`
    had posted, before any run did. `sold` is what a profit is left of, as `Sold`. `parcel_id` is
    the parcel of what is kept of a refund.
    """

    order_id: str
    sku_id: str
    kind: LineKind
    basis: str
    basis_amount: int
    rate_bps: int
    amount: int
    matured_on: str
    role: str = "promoter"
    share_bps: int = BASIS_POINTS
    plan_id: str = ""
    plan_version: int = 0
    rule: str = ""
    entry_id: str = ""
    day_cap: int | None = None
    delivered_on: str = ""
    borne_by: str = ""
    method: Method = "none"
    voided_by: Sequence[str] = ()
    title: str = ""
    sold: Sequence[int] = ()
    parcel_id: str = ""


@dataclass(frozen=True)
class WaitingLines:
    """Lines that no run has taken, under the day whose run will: `adjusted` have been posted to the
    available balance already, and `matured` are pending until then."""

    day: str
    adjusted: Sequence[EarnedLine]
    matured: Sequence[EarnedLine]


BonusKind = Literal["task"] | PlanBonusKind
# What a leader may be given a bonus for. Nobody is paid for whom it has brought to join.
Task = Literal["sales", "promotion", "handing_out", "service", "stock_count", "training"]


@dataclass(frozen=True)
class Bonus:
    """What a leader was given beside its commission, once by its reference; in the minor unit.

    It matures as commission does that is delivered on the day on which it was given. `reference` of
    what a plan promises is the order that was the first one, or the campaign; `order_id` is the
    order whose delivery brought it, and `waits_on` the day of the leader's earnings that it was put
    under. One that was taken back may be given again: `times` counts how often it was given.
    """

    id: str
    leader_id: str
    kind: BonusKind
    task: str
    reference: str
    amount: int
    currency: str
    matures_on: str
    given_at: datetime
    given_by: str
    order_id: str = ""
    threshold: int | None = None
    plan_id: str = ""
    plan_version: int = 0
    waits_on: str = ""
    times: int = 1
    taken_back_at: datetime | None = None
    taken_back_by: str | None = None

    @property
    def stands(self) -> bool:
        return self.taken_back_at is None

    @property
    def entry_id(self) -> str:
        return f"bonus:{self.id}{self._occurrence}"

    @property
    def back_entry_id(self) -> str:
        return f"bonus-back:{self.id}{self._occurrence}"

    @property
    def _occurrence(self) -> str:
        return "" if self.times == 1 else f":{self.times}"

    @property
    def _rule(self) -> str:
        """Such as `task:ten new members`, `first_order` and `campaign_total:cmp_1`."""
        of = {"task": self.task, "campaign_total": self.reference}.get(self.kind)
        return f"{self.kind}:{of}" if of else self.kind

    @property
    def line(self) -> EarnedLine:
        return EarnedLine(
            order_id=self.order_id,
            sku_id="",
            kind="bonus",
            basis=self.kind,
            basis_amount=self.threshold or self.amount,
            rate_bps=0,
            amount=self.amount,
            matured_on=self.matures_on,
            plan_id=self.plan_id,
            plan_version=self.plan_version,
            rule=self._rule,
            entry_id=self.entry_id,
        )


@dataclass(frozen=True)
class FirstOrder:
    """The order whose delivery has made a customer one that is not new any more, as far as plans
    with a bonus for that have asked; `is_rewarded` where nothing was delivered before."""

    customer_id: str
    order_id: str
    is_rewarded: bool


@dataclass(frozen=True)
class Adjustment:
    """What an operator has corrected of what a leader has available, once by its reference; in the
    minor unit and in the leader's favour, so below zero where it is taken."""

    id: str
    leader_id: str
    amount: int
    currency: str
    reason: str
    reference: str
    business_date: str
    made_at: datetime
    made_by: str

    @property
    def entry_id(self) -> str:
        return f"adjustment:{self.id}"

    @property
    def line(self) -> EarnedLine:
        return EarnedLine(
            order_id="",
            sku_id="",
            kind="adjustment",
            basis="adjustment",
            basis_amount=self.amount,
            rate_bps=0,
            amount=self.amount,
            matured_on=self.business_date,
            rule=f"adjustment:{self.reference}",
            entry_id=self.entry_id,
        )


@dataclass(frozen=True)
class Earnings:
    """Where a leader stands: what open orders will bring, and how far runs have taken.

    Every change to what a coming run will take raises `version`, so a run that has read an
    older one cannot commit. `last_run_id` is that of the last statement, and `behind` counts the
    runs that have set the leader aside; `behind_through` is the date of the last of these. What
    is `held` is pending and matures on no day, since it is disputed.
    """

    leader_id: str
    estimated: int = 0
    settled_through: str = ""
    closing_balance: int = 0
    version: int = 0
    last_run_id: str = ""
    behind: int = 0
    behind_through: str = ""
    held: int = 0

    def bucket_for(self, matured_on: date) -> str:
        """The day under which an amount waits: when it matures, or the first not yet taken."""
        return max(matured_on.isoformat(), self.first_open_bucket)

    @property
    def first_open_bucket(self) -> str:
        """The day that every coming run takes; what is clawed back waits under it.

        A run that has set the leader aside is over: what is posted since is none of it, even if it
        is made up for later.
        """
        through = max(self.settled_through, self.behind_through)
        if not through:
            return FIRST_DAY
        return (date.fromisoformat(through) + timedelta(days=1)).isoformat()

    def has_taken(self, bucket: str) -> bool:
        return bucket <= self.settled_through


@dataclass(frozen=True)
class Withheld:
    """How a cap line came about: what is withheld on its account of the day `now`, and was `before`
    its run. The account has `borne` so much of the day, and all that bear some `borne_in_all`."""

    before: int
    now: int
    borne: int = 0
    borne_in_all: int = 0


@dataclass(frozen=True)
class OfKind:
    """What the lines of a kind come to, in the minor unit."""

    kind: LineKind
    amount: int


@dataclass(frozen=True)
class Statement:
    """What one run made available to a leader. Its lines lie in the days it took, and behind them
    come those of daily caps, each of which `withheld` tells how it came about. It opens where that
    of `previous_run_id` closes. `by_kind` is what all its lines come to; None where nobody has
    added them up."""

    leader_id: str
    run_id: str
    business_date: str
    currency: str
    after_day: str
    opening_balance: int
    total: int
    closing_balance: int
    made_at: datetime
    previous_run_id: str = ""
    caps: tuple[EarnedLine, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    by_kind: tuple[OfKind, ...] | None = None

    def has_taken(self, day: str) -> bool:
        return self.after_day < day <= self.business_date


def maturing_entry_id(made: Statement) -> str:
    """The journal entry by which a run makes available what has matured."""
    return f"matured:{made.run_id}:{made.leader_id}"


@dataclass(frozen=True)
class StatementWhole(Statement):
    """A statement with the lines that its total is the sum of."""

    lines: Sequence[EarnedLine] = ()


@dataclass(frozen=True)
class Total:
    currency: str
    amount: int


@dataclass(frozen=True)
class Run:
    """One night's settlement. Totals are fixed when it completes, but for leaders who were set
    aside and are settled later. A dry run works out the same and posts nothing."""

    id: str
    business_date: str
    status: RunStatus
    leaders_total: int
    leaders_settled: int
    totals: tuple[Total, ...]
    started_at: datetime
    completed_at: datetime | None
    listed: bool
    version: int
    # When an operator last went on with it after it had failed.
    resumed_at: datetime | None = None
    leaders_set_aside: int = 0
    dry_run: bool = False

    @property
    def is_running(self) -> bool:
        return self.status == "running"


@dataclass(frozen=True)
class Progress(Run):
    """A run and how far it is. `percent` is None until all leaders are listed, and what is
    estimated is None until there is a rate, in leaders a second."""

    leaders_left: int = 0
    percent: int | None = None
    leaders_per_second: float | None = None
    estimated_completion: datetime | None = None


def progress(run: Run, now: datetime) -> Progress:
    """How far a run is, from the leaders it has listed and is done with."""
    done = run.leaders_settled + run.leaders_set_aside
    left = run.leaders_total - done
    seconds = ((run.completed_at or now) - run.started_at).total_seconds()
    rate = done / seconds if done and seconds > 0 else None
    completion = None
    if run.is_running and run.listed and rate:
        completion = now + timedelta(milliseconds=round(left * 1000 / rate))
    return Progress(
        **vars(run),
        leaders_left=left,
        percent=_percent(run, done),
        leaders_per_second=round(rate, 2) if rate else None,
        estimated_completion=completion,
    )


def _percent(run: Run, done: int) -> int | None:
    if not run.listed:
        return None
    return done * 100 // run.leaders_total if run.leaders_total else 100


LeaderStatus = Literal["settled", "set_aside"]


@dataclass(frozen=True)
class LeaderOfRun:
    """What a run came to for one leader: `amount` was made available, `total` is its statement's.

    Nothing has matured where there is no currency. One that is set aside has its cause.
    """

    leader_id: str
    status: LeaderStatus
    currency: str | None
    amount: int
    opening_balance: int
    total: int
    closing_balance: int
    failures: int = 0
    cause: str | None = None
    set_aside_at: datetime | None = None


def run_id(business_date: str) -> str:
    return f"run_{business_date}"


def date_of(run_id: str) -> str:
    """The business date that a run, which is no dry run, is named by."""
    return run_id.removeprefix("run_")
