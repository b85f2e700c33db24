"""What matches what, and what does not: each difference by its kind, and nothing twice."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.reconciliation.line_names import line_names, with_known_ids
from chalicelib.reconciliation.lines import Booked, Line, Sent, own_ids, sums
from chalicelib.reconciliation.matching import Matcher, balance_differences
from chalicelib.reconciliation.rules import WRITES_A_PAGE, Difference, Found, Match, pages, weight

BANK, STRIPE = "cash:bank", "cash:stripe"
PERIOD, TRANSIT = ("2026-03-01", "2026-03-31"), "2026-03-27"


def hexes(n: int) -> str:
    return f"{n:028x}"


def paid(
    n: int, amount: int, day: str = "2026-03-10", account: str = BANK, currency: str = "EUR"
) -> Booked:
    """A payout that the books say is paid."""
    of = f"pyt_{hexes(n)}"
    return Booked(f"payout-paid:{of}", account, -amount, currency, day, of)


def refunded(refund_id: str, amount: int) -> Booked:
    return Booked(f"refund-done:{refund_id}", BANK, -amount, "EUR", "2026-03-10", refund_id)


def line(n: int, amount: int, day: str = "2026-03-11", of: int | None = None, **more: str) -> Line:
    reference = more.pop("reference", f"PYT{hexes(of).upper()}" if of is not None else "")
    currency = more.pop("currency", "EUR")
    return Line(n, amount, currency, day, reference=reference, **more)  # type: ignore[arg-type]


def found(lines: list[Line], booked: list[Booked], sent: dict[str, Sent] | None = None) -> Found:
    known = with_known_ids(line_names(lines, "csv"), ())
    return Matcher(BANK, lines, booked, PERIOD, TRANSIT, sent, known).run()


def only(of: Found) -> Difference:
    (difference,) = of.differences
    return difference


def moved(difference: Difference) -> dict[str, int]:
    return {each.currency: each.amount for each in difference.changes}


def test_ids_are_found_however_a_bank_prints_them() -> None:
    key = f"pyt{hexes(7)}"
    assert own_ids(f"PAYOUT PYT_{hexes(7)[:20].upper()} {hexes(7)[20:]}") == (key,)
    assert own_ids("nothing of ours", f"pyt_{hexes(7)[:-1]}") == ()


def test_by_id_the_amount_and_the_day_must_agree() -> None:
    assert found([line(1, -500, of=1)], [paid(1, 500), paid(2, 500)]).matches == [
        Match(1, f"payout-paid:pyt_{hexes(1)}")
    ]


def test_by_amount_and_day_only_what_is_the_only_one() -> None:
    assert len(found([line(1, -500)], [paid(1, 500)]).matches) == 1
    doubtful = only(found([line(1, -500)], [paid(1, 500), paid(2, 500, "2026-03-12")]))
    assert (doubtful.kind, doubtful.lines, len(doubtful.entries)) == ("ambiguous", (1,), 2)
    assert moved(doubtful) == {"EUR": 500}
    # The other one is too far away to be meant, and is missing.
    apart = found([line(1, -500)], [paid(1, 500), paid(2, 500, "2026-03-20")])
    assert (len(apart.matches), only(apart).kind) == (1, "missing")


def test_two_of_the_same_amount_are_left_to_a_person() -> None:
    doubtful = only(found([line(1, -500), line(2, -500)], [paid(1, 500), paid(2, 500)]))
    assert (doubtful.kind, doubtful.lines, moved(doubtful)) == ("ambiguous", (1, 2), {})


def deposited(n: int, amount: int, told: str) -> Booked:
    of = f"dpo_{hexes(n)}"
    return Booked(f"deposit_received:{of}", BANK, amount, "EUR", "2026-03-10", of, told=told)


def remitted(reference: str, amount: int) -> Booked:
    entry_id = f"remittance:ldr_1:{reference}"
    return Booked(entry_id, BANK, amount, "EUR", "2026-03-10", f"rem_{hexes(1)}")


def matched(of: Found) -> dict[int, str]:
    return {each.line: each.entry_id for each in of.matches}


def test_by_the_reference_of_a_deposit_or_a_remittance() -> None:
    booked = [deposited(1, 1000, "X-1"), deposited(2, 1000, "X-2"), remitted("X-3", 1000)]
    named = [line(n, 1000, reference=f"x{n}") for n in (1, 2, 3)]
    assert matched(found(named, booked)) == {n: each.entry_id for n, each in enumerate(booked, 1)}
    other = only(found([line(1, 1230, reference="X1")], [deposited(1, 1234, "X1")]))
    assert (other.kind, moved(other)) == ("amount", {"EUR": -4})


def received(n: int, order_id: str) -> Booked:
    entry_id = f"receipt:local:ch_{order_id}_{n}"
    return Booked(entry_id, BANK, 1000, "EUR", "2026-03-10", order_id)


def test_of_an_order_that_was_paid_twice_the_reference_tells_which_payment_it_is() -> None:
    order_id = f"ord_{hexes(1)}"
    booked = [received(n, order_id) for n in (1, 2)]
    lines = [line(n, 1000, reference=f"ch_{order_id}_{n}") for n in (2, 1)]
    assert matched(found(lines, booked)) == {2: booked[1].entry_id, 1: booked[0].entry_id}
    for unsure in (line(1, 1000, reference=order_id), line(1, 1000, text=order_id)):
        assert only(found([unsure], booked)).kind == "ambiguous"
    # The other one is what is left, whichever line stands first.
    of_order = line(1, 1000, text=order_id)
    for both in ([of_order, lines[0]], [lines[0], of_order]):
        assert matched(found(both, booked)) == {n: booked[n - 1].entry_id for n in (1, 2)}


def test_a_line_of_another_payment_of_an_order_is_not_matched() -> None:
    order_id = f"ord_{hexes(1)}"
    first, second = (received(n, order_id) for n in (1, 2))
    of_first = line(1, 1000, reference=f"ch_{order_id}_1")
    before, missing = found([of_first], [replace(first, is_claimed=True), second]).differences
    assert (before.kind, before.entries, missing.kind) == ("matched_before", (), "missing")
    again = found([of_first, replace(of_first, n=2)], [first, second])
    assert matched(again) == {1: first.entry_id}
    assert [each.kind for each in again.differences if each.lines] == ["duplicate"]
    # One of which nobody has told the books.
    unknown, missing = found([line(1, 1000, reference=f"ch_{order_id}_3")], [first]).differences
    assert (unknown.kind, unknown.lines, missing.kind) == ("unknown_reference", (1,), "missing")
    # What only names the order, in whatever words, is of its payment.
    assert found([line(1, 1000, reference=f"Order {order_id}")], [first]).differences == []


def test_a_reference_may_stand_in_the_text_as_words_of_its_own() -> None:
    booked = [remitted("BK-R1", 1000), remitted("BK-R12", 1000), remitted("Kasse Mai", 1000)]
    lines = [
        line(1, 1000, text="Lena Wolf BK-R1, danke"),
        line(2, 1000, text="(bk-r12)"),
        line(3, 1000, text="von Lena: KASSE MAI."),
    ]
    assert matched(found(lines, booked)) == {n: each.entry_id for n, each in enumerate(booked, 1)}


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (1000, "BK-R1-2 and XBK-R1 and BK-R1/7"),  # other words
        (1000, "BK-R1 BK-R2"),  # which of both
        (999, "BK-R1"),  # another amount
        (1000, f"BK-R1 pyt_{hexes(7)}"),  # a surer name is of something else
    ],
)
def test_a_text_that_may_be_of_something_else_matches_nothing(amount: int, text: str) -> None:
    booked = [remitted("BK-R1", 1000), remitted("BK-R2", 1000)]
    assert found([line(1, amount, text=text)], booked).matches == []


def test_a_reference_that_two_entries_have_is_of_neither() -> None:
    booked = [deposited(1, 1000, "X1"), deposited(2, 1000, "X1")]
    assert only(found([line(1, 1000, reference="X1")], booked)).kind == "ambiguous"
    assert found([line(1, 1000, text="X1")], booked).matches == []
    # By what else agrees it is of one alone.
    booked = [deposited(1, 1000, "X1"), deposited(2, 700, "X1")]
    assert matched(found([line(1, 700, text="for X1")], booked)) == {1: booked[1].entry_id}


CHARGEBACK = f"cbk_{hexes(1)}"


def charged(kind: str, amount: int) -> Booked:
    """What a chargeback has moved: the fee, or what is back of it."""
    return Booked(f"{kind}:{CHARGEBACK}", BANK, amount, "EUR", "2026-03-10", "ord_1")


def of_dispute(n: int, amount: int, kind: str = "fee", day: str = "2026-03-11") -> Line:
    return line(n, amount, day, reference="dp_1", means=CHARGEBACK, kind=kind)


def test_the_fee_of_a_chargeback_is_the_one_fee_that_has_an_entry() -> None:
    booked = [charged("chargeback-fee", -150), charged("chargeback-won", 1000)]
    lines = [of_dispute(1, -150), of_dispute(2, 1000, "payment")]
    assert matched(found(lines, booked)) == {n: each.entry_id for n, each in enumerate(booked, 1)}
    # What a bank takes beside a payout, or a deposit that it sends back, is of neither.
    booked = [paid(1, 500), replace(deposited(1, -20, "X1"), entry_id="deposit_returned:X")]
    lines = [
        line(1, -480, of=1),
        line(2, -20, of=1, kind="fee"),
        line(3, -20, text="X1", kind="fee"),
    ]
    told = sorted(each.kind for each in found(lines, booked).differences)
    assert told == ["amount", "fee", "fee", "missing"]


@pytest.mark.parametrize(
    ("of", "kind", "change"),
    [
        (of_dispute(1, -160), "amount", -10),
        (of_dispute(1, -150, day="2026-03-28"), "late", 0),
    ],
    ids=["another amount", "another day"],
)
def test_a_chargebacks_fee_that_differs_is_not_told_as_another(
    of: Line, kind: str, change: int
) -> None:
    differs = only(found([of], [charged("chargeback-fee", -150)]))
    assert (differs.kind, moved(differs)) == (kind, {"EUR": change} if change else {})


@pytest.mark.parametrize("amount", [150, 100])
def test_a_chargebacks_fee_that_comes_back_is_a_fee(amount: int) -> None:
    fee, won = charged("chargeback-fee", -150), charged("chargeback-won", 1000)
    told = only(found([of_dispute(1, -150), of_dispute(2, amount)], [fee]))
    assert (told.kind, told.lines, moved(told)) == ("fee", (2,), {"EUR": amount})
    # Nor does it stand for the fee itself, whose line is still looked for.
    before = found([of_dispute(1, 1000, "payment"), of_dispute(2, amount)], [fee, won])
    assert {(each.kind, each.entries) for each in before.differences} == {
        ("fee", ()),
        ("missing", (fee.entry_id,)),
    }


def test_a_second_fee_of_a_chargeback_is_another_fee() -> None:
    lines = [of_dispute(1, -150), of_dispute(2, -150)]
    told = only(found(lines, [charged("chargeback-fee", -150)]))
    assert (told.kind, told.lines, moved(told)) == ("fee", (2,), {"EUR": -150})
    both = only(found(lines, [charged("chargeback-fee", -300)]))
    assert (both.kind, both.lines) == ("split", (1, 2))


def test_what_is_near_the_end_may_be_in_the_next_statement() -> None:
    late, early = paid(1, 500, "2026-03-29"), paid(2, 300, "2026-02-27")
    result = found([], [late, early])
    assert (result.outcomes, result.in_transit) == ((), (late.entry_id,))


KINDS = (
    "missing",
    "extra",
    "amount",
    "currency",
    "duplicate",
    "late",
    "returned",
    "fee",
    "unknown_reference",
    "wrong_direction",
    "wrong_account",
    "split",
    "ambiguous",
    "not_told",
    "matched_before",
    "transfer",
    "told_otherwise",
    "sent_back",
)
# What is planted, and the differences that it comes to.
PLANTED: dict[str, tuple[str, ...]] = {
    **{kind: (kind,) for kind in KINDS},
    "less a charge": ("returned",),
    "a return of nothing known": ("returned", "missing"),
    "a return of what was not seen going": ("returned",),
    "another's name": ("extra", "missing"),
    "no name beside another's": ("extra", "missing"),
    "lost in transit": ("missing",),
    "came back and was not told": ("not_told", "returned"),
    "paid twice and not told": ("not_told", "duplicate"),
    "came back of what was told to have failed": ("told_otherwise",),
    "more than was told to have failed": ("unknown_reference",),
    "told before": (),
    "turned up": (),
}


TOLD_TO_HAVE_FAILED = (
    *("told_otherwise", "sent_back", "came back of what was told to have failed"),
    "more than was told to have failed",
)


def planted(kind: str, n: int) -> tuple[list[Line], list[Booked], dict[str, Sent]]:
    """Lines and entries that differ by just that, numbered from `n` on; amounts are all its own."""
    amount = 10_000_000 + 10 * n
    before, refund = paid(n, amount, "2026-02-10"), f"rfd_{hexes(n)}"
    entry, plain = paid(n, amount), line(n, -amount, of=n)
    told = "failed" if kind in TOLD_TO_HAVE_FAILED else ""
    sent = {f"pyt{hexes(n)}": Sent(f"pyt_{hexes(n)}", amount, "EUR", told)}
    came_back = line(n + 1, amount, "2026-03-14", of=n)
    lines, booked = {
        "missing": ([], [entry]),
        "extra": ([line(n, -amount)], []),
        "amount": ([line(n, -amount + 1, of=n)], [entry]),
        "currency": ([line(n, -amount, of=n, currency="USD")], [entry]),
        "duplicate": ([plain, line(n + 1, -amount, of=n)], [entry]),
        "late": ([line(n, -amount, "2026-03-28", of=n)], [entry]),
        "returned": ([plain, line(n + 1, amount, "2026-03-14", of=n)], [entry]),
        "fee": ([line(n, -amount, kind="fee")], []),
        "unknown_reference": ([plain], []),
        "wrong_direction": ([line(n, amount, reference=refund)], [refunded(refund, amount)]),
        "wrong_account": ([plain], [paid(n, amount, account=STRIPE)]),
        "split": ([line(n, -amount + 1, of=n), line(n + 1, -1, of=n)], [entry]),
        "ambiguous": ([line(n, -amount)], [entry, paid(n + 1, amount)]),
        "not_told": ([plain], []),
        "matched_before": ([plain], [replace(entry, is_claimed=True)]),
        "transfer": ([line(n, -amount, kind="transfer")], []),
        "told_otherwise": ([plain], []),
        "sent_back": ([plain, came_back], []),
        "came back and was not told": ([plain, came_back], []),
        "paid twice and not told": ([plain, line(n + 1, -amount, of=n)], []),
        "came back of what was told to have failed": ([came_back], []),
        "more than was told to have failed": ([line(n, -amount - 1, of=n)], []),
        "less a charge": ([plain, line(n + 1, amount - 1, "2026-03-14", of=n)], [entry]),
        "a return of nothing known": (
            [line(n, amount, kind="return")],
            [Booked(f"remittance:ldr:{n}", BANK, amount, "EUR", "2026-03-10")],
        ),
        "a return of what was not seen going": (
            [line(n, amount, of=n)],
            [replace(entry, day="2026-03-28")],
        ),
        "another's name": ([line(n, -amount, reference="RENT-MARCH-2026")], [entry]),
        "no name beside another's": (
            [line(n, -amount, "2026-03-19", reference="RENT"), line(n + 1, -amount)],
            [entry, paid(n + 1, amount, "2026-03-23")],
        ),
        "lost in transit": ([], [replace(before, standing="in_transit")]),
        "told before": ([], [replace(before, standing="missing")]),
        "turned up": ([plain], [replace(before, standing="missing")]),
    }[kind]
    return lines, booked, {} if kind == "unknown_reference" else sent


@pytest.mark.parametrize("name", PLANTED)
def test_each_kind_of_difference_is_told_from_the_others(name: str) -> None:
    result = found(*planted(name, 1))
    assert Counter(each.kind for each in result.differences) == Counter(PLANTED[name])


def test_planted_discrepancies_are_all_found_among_ten_thousand_lines_and_nothing_else() -> None:
    chance = random.Random(1)
    each_kind, sound = 5, 10_000
    lines: list[Line] = []
    booked: list[Booked] = []
    sent: dict[str, Sent] = {}
    due = Counter[str]()
    for n in range(sound):
        # Most are known by their id; some amounts stand there a hundred times.
        by_id = n % 10 != 0
        amount = 100 + n % 97 if by_id else 2_000_000 + n
        booked.append(paid(n, amount))
        lines.append(line(n, -amount, of=n if by_id else None))
    for n, name in enumerate([*PLANTED] * each_kind):
        more, beside, waiting = planted(name, sound + 10 * n)
        lines += more
        booked += beside
        sent |= waiting
        due.update(PLANTED[name])
    chance.shuffle(booked)
    result = found(lines, booked, sent)
    assert Counter(each.kind for each in result.differences) == due
    of_line = {f"payout-paid:pyt_{hexes(n)}": n for n in range(sound)}
    false = [m for m in result.matches if m.line < sound and of_line[m.entry_id] != m.line]
    assert false == []
    assert len([m for m in result.matches if m.line < sound]) == sound


def test_what_another_account_has_may_be_moved_where_all_else_agrees() -> None:
    entry = paid(1, 500, account=STRIPE)
    told = only(found([line(1, -500, of=1)], [entry]))
    assert (told.kind, told.entries, told.account) == ("wrong_account", (entry.entry_id,), STRIPE)


@pytest.mark.parametrize(
    ("amount", "currency"), [(-250, "EUR"), (500, "EUR"), (-500, "USD")], ids=str
)
def test_another_amount_in_another_account_is_not_of_the_line(amount: int, currency: str) -> None:
    entry = paid(1, 500, account=STRIPE)
    told = only(found([line(1, amount, of=1, currency=currency)], [entry]))
    assert (told.kind, told.entries, told.account) == ("wrong_account", (), "")
    assert (told.of, moved(told)) == (entry.entry_id, {currency: amount})
    assert "the books have -5.00 EUR in cash:stripe" in told.detail


def test_a_wrong_id_does_not_match_by_amount() -> None:
    """What names another payout is not of this one, however well its amount fits."""
    result = found([line(1, -500, of=9)], [paid(1, 500)])
    assert [each.kind for each in result.differences] == ["unknown_reference", "missing"]


amounts = st.sampled_from([100, 200, -100])
days = st.sampled_from(["2026-02-25", "2026-03-03", "2026-03-10", "2026-03-17", "2026-03-30"])
entries = st.builds(
    lambda n, amount, day, account, currency: paid(
        n, amount, day, account=account, currency=currency
    ),
    st.integers(0, 9),
    amounts,
    days,
    st.sampled_from([BANK, BANK, STRIPE]),
    st.sampled_from(["EUR", "EUR", "USD"]),
)
kinds = st.sampled_from(["payment", "payment", "fee"])
any_line = st.builds(
    lambda amount, day, of, currency, kind, ref: line(
        0, amount, day, of, currency=currency, kind=kind, bank_ref=ref
    ),
    amounts,
    days,
    st.none() | st.integers(0, 9),
    st.sampled_from(["EUR", "EUR", "USD"]),
    kinds,
    st.sampled_from(["", "", "A", "B"]),
)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(any_line, max_size=12),
    st.lists(entries, max_size=12, unique_by=lambda each: each.entry_id),
)
def test_no_line_and_no_entry_is_taken_twice_and_differences_come_to_the_difference(
    some: list[Line], booked: list[Booked]
) -> None:
    lines = [Line(**vars(each) | {"n": n}) for n, each in enumerate(some, 1)]
    result = found(lines, booked)
    of = {each.entry_id: each for each in booked}
    taken_lines = [m.line for m in result.matches]
    taken = [m.entry_id for m in result.matches]
    for each in result.differences:
        taken_lines += each.lines
        taken += each.entries
    assert sorted(taken_lines) == list(range(1, len(lines) + 1))
    assert len(taken) == len(set(taken))
    for m in result.matches:
        entry, by = of[m.entry_id], lines[m.line - 1]
        assert (entry.amount, entry.currency, entry.account) == (by.amount, by.currency, BANK)
    here = [of[each] for each in taken if of[each].account == BANK]
    due = sums(
        [
            *((each.currency, each.amount) for each in lines),
            *((each.currency, -each.amount) for each in here),
        ]
    )
    said = sums(pair for each in result.differences for pair in moved(each).items())
    assert {c: a for c, a in due.items() if a} == {c: a for c, a in said.items() if a}
    left = {each.entry_id for each in booked if each.account == BANK} - set(taken)
    must = {each for each in left if PERIOD[0] <= of[each].day < TRANSIT}
    assert must == set()


@given(st.lists(st.integers(0, 40), max_size=200))
def test_a_page_of_outcomes_fits_a_transaction(sizes: list[int]) -> None:
    outcomes = [Difference("extra", "", tuple(range(n)), ("e",) * n) for n in sizes]
    written = pages(outcomes)
    assert [each for page in written for each in page] == outcomes
    assert all(sum(map(weight, page)) <= WRITES_A_PAGE for page in written)


def test_balances_that_say_something_else_are_a_difference() -> None:
    (said,) = balance_differences([line(1, -500)], {"EUR": -700, "USD": 0})
    assert said.kind == "balance"
    assert "-7.00 EUR" in said.detail
