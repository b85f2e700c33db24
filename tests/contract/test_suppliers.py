"""The suppliers store, and suppliers' settlement terms: versions, deposits, and what is counted."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.kernel.errors import Stale
from chalicelib.parties import store as parties
from chalicelib.parties.settlement_terms import SettlementTerms, Waiver
from chalicelib.platform.transaction import write, write_alone
from chalicelib.suppliers import store as suppliers
from chalicelib.suppliers.remittances import SupplierRemittance
from chalicelib.suppliers.rules import Deposit
from tests.support.made import NOW

YEAR = date(2026, 3, 10)


def some_terms(
    version: int, supplier_id: str = "sup_1", since: str | None = None
) -> SettlementTerms:
    """Not the usual ones, in any part."""
    return SettlementTerms(
        supplier_id,
        version,
        "revenue_share",
        1250 + version,
        100_000,
        500,
        (Waiver("2026-03-01", "2026-05-29"), Waiver("2027-01-01", "2027-01-01")),
        1_000_000,
        0,
        "platform",
        since,
        NOW,
        "op_1",
    )


def test_terms_are_the_newest_and_each_version_stays_as_it_was() -> None:
    first, second = some_terms(1), some_terms(2)
    write(*parties.set_settlement_terms(first))
    write(*parties.set_settlement_terms(second))
    assert parties.settlement_terms_of(["sup_1", "sup_2"]) == {
        "sup_1": second,
        "sup_2": SettlementTerms("sup_2"),
    }
    assert parties.settlement_terms_versions("sup_1") == [first, second]
    assert parties.settlement_terms_versions("sup_2") == []
    named = [("sup_1", 1), ("sup_1", 3), ("sup_2", 0)]
    assert parties.get_settlement_terms(named) == {
        ("sup_1", 1): first,
        ("sup_2", 0): SettlementTerms("sup_2"),
    }


def some_transfer(reference: str = "T1") -> SupplierRemittance:
    return SupplierRemittance(
        f"rem_{reference}", "sup_1", 700, 300, 400, "EUR", reference, NOW, "op_1"
    )


def test_a_transfer_is_stored_and_reversed_once() -> None:
    made, later = some_transfer(), replace(some_transfer("T2"), received_at=NOW + timedelta(1))
    write_alone(suppliers.add_remittance(made))
    write_alone(suppliers.add_remittance(later))
    with pytest.raises(Stale):
        write_alone(suppliers.add_remittance(made))
    assert suppliers.get_remittance("sup_1", made.id) == made
    assert suppliers.get_remittance("sup_2", made.id) is None
    assert suppliers.remittances_of("sup_1") == [later, made]
    wanted = [("sup_1", later.id), ("sup_2", made.id), ("sup_1", made.id), ("sup_1", later.id)]
    assert suppliers.get_remittances(wanted) == [later, made]
    after = made.reversed("another's", NOW)
    write_alone(suppliers.reverse_remittance(after))
    assert suppliers.get_remittance("sup_1", made.id) == after
    with pytest.raises(Stale):
        write_alone(suppliers.reverse_remittance(after))


def test_it_is_kept_once_by_which_batch_a_debt_was_told() -> None:
    write(suppliers.tell_to_owe("sup_1", "pob_1"))
    with pytest.raises(Stale):
        write(suppliers.tell_to_owe("sup_1", "pob_2"))
    assert suppliers.told_to_owe(["sup_1", "sup_2"]) == {"sup_1": "pob_1"}
    with pytest.raises(Stale):
        write(suppliers.owes_no_more("sup_1", "pob_2"))
    write(suppliers.owes_no_more("sup_1", "pob_1"))
    assert suppliers.told_to_owe(["sup_1"]) == {}


def test_a_version_is_set_once() -> None:
    write(*parties.set_settlement_terms(some_terms(1)))
    for again in (some_terms(1), some_terms(3)):
        with pytest.raises(Stale):
            write(*parties.set_settlement_terms(again))
    assert parties.settlement_terms_versions("sup_1") == [some_terms(1)]


def test_fee_payers_are_those_that_were_ever_asked_for_a_fee() -> None:
    for n in range(5):
        asked = some_terms(1, f"sup_{n}", since="2026-03-10" if n % 2 else None)
        write(*parties.set_settlement_terms(asked))
    write(*parties.set_settlement_terms(some_terms(2, "sup_3", since="2026-03-10")))
    found = [each for some in parties.fee_payers(1) for each in some]
    assert [(each.supplier_id, each.version) for each in found] == [("sup_1", 1), ("sup_3", 2)]


def some_deposit(n: int) -> Deposit:
    at = NOW + timedelta(seconds=n)
    return Deposit(f"dpo_{9 - n}", "sup_1", "drawn", n, "EUR", at, "op_1", None, "spoilt", "fees")


def test_deposits_come_back_as_they_were_booked_newest_first() -> None:
    made = [some_deposit(n) for n in range(3)]
    other = replace(made[0], supplier_id="sup_2", kind="received", reference="T1", pays=None)
    for each in (*made, other):
        write(suppliers.add_deposit(each))
    assert suppliers.get_deposit("sup_1", made[0].id) == made[0]
    assert suppliers.get_deposit("sup_2", made[1].id) is None
    assert suppliers.deposits_of("sup_1") == made[::-1]
    assert suppliers.deposits_of("sup_2") == [other]
    with pytest.raises(Stale):
        write(suppliers.add_deposit(made[0]))


def test_a_community_is_reached_once_in_a_fee_year() -> None:
    assert not suppliers.has_delivered_to("sup_1", "ldr_1", YEAR)
    write(suppliers.deliver_first_to("sup_1", "ldr_1", YEAR))
    with pytest.raises(Stale):
        write(suppliers.deliver_first_to("sup_1", "ldr_1", YEAR))
    assert suppliers.has_delivered_to("sup_1", "ldr_1", YEAR)
    for others in (("sup_1", "ldr_2", YEAR), ("sup_1", "ldr_1", YEAR.replace(year=2027))):
        assert not suppliers.has_delivered_to(*others)
        write(suppliers.deliver_first_to(*others))


def test_fee_years_are_decided_supplier_by_supplier() -> None:
    assert suppliers.decided_through(["sup_1"]) == {}
    for year in (2026, 2027):
        write_alone(suppliers.decide_through("sup_1", date(year, 3, 1)))
    assert suppliers.decided_through(["sup_1", "sup_2"]) == {"sup_1": date(2027, 3, 1)}


def test_fines_of_a_month_reach_their_cap_and_not_a_cent_beyond() -> None:
    write(suppliers.count_fine("sup_1", "2026-03", 500, 800))
    with pytest.raises(Stale):
        write(suppliers.count_fine("sup_1", "2026-03", 301, 800))
    write(suppliers.count_fine("sup_1", "2026-03", 300, 800))
    write(suppliers.count_fine("sup_1", "2026-04", 500, 800))
    assert suppliers.fined_in("sup_1", "2026-03") == 800
    write(suppliers.count_fine("sup_1", "2026-03", -500))
    write(suppliers.count_fine("sup_1", "2026-03", 9_000))
    assert suppliers.fined_in("sup_1", "2026-03") == 9_300
    assert suppliers.fined_in("sup_2", "2026-03") == 0
