"""The payments store: receipts and remittances taken once, and refunds until they are done."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.errors import Stale
from chalicelib.payments import chargeback_store, refund_store, remittance_store, scanning
from chalicelib.payments import store as payments
from chalicelib.payments.rules import (
    Bears,
    Chargeback,
    Handed,
    PaymentMethod,
    Receipt,
    Refund,
    RefundBearers,
    RefundStatus,
    Remittance,
)
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import write
from tests.support.made import NOW


def receipt(**changes: Any) -> Receipt:
    usual: dict[str, Any] = {
        "provider": "local",
        "reference": "ch_1",
        "payment_id": "pay_1",
        "order_id": "ord_1",
        "amount": 1000,
        "currency": "EUR",
        "received_at": NOW,
    }
    return Receipt(**{**usual, **changes})


def add_refund(refund_id: str, **changes: Any) -> Refund:
    usual: dict[str, Any] = {
        "id": refund_id,
        "order_id": "ord_1",
        "leader_id": "ldr_1",
        "amount": 1000,
        "currency": "EUR",
        "status": "pending",
        "method": "card",
        "provider": "local",
        "receipt": "ch_1",
        "cash_account": "cash:local",
        "reason": "broken",
        "decided_at": NOW,
        "completed_at": None,
        "version": 1,
    }
    made = Refund(**{**usual, **changes})
    write(refund_store.add_refund(made))
    return made


def to_look_at(minutes: int) -> list[str]:
    found = refund_store.to_look_at(NOW + timedelta(minutes=minutes), 10)
    return [refund.id for refund in found]


def test_a_receipt_is_taken_once_whatever_it_says_the_second_time() -> None:
    assert not payments.is_taken(receipt())
    write(payments.take(receipt()))
    assert payments.is_taken(receipt())
    with pytest.raises(Stale):
        write(payments.take(receipt(amount=2000)))


def test_two_providers_may_use_one_reference() -> None:
    write(payments.take(receipt()))
    write(payments.take(receipt(provider="other", order_id=None)))
    assert payments.is_taken(receipt(provider="other"))


def test_a_refund_is_decided_once_and_changes_by_version() -> None:
    made = add_refund("rfd_1")
    assert refund_store.get_refund("rfd_1") == made
    with pytest.raises(Stale):
        add_refund("rfd_1", amount=5)
    done = replace(made, status="succeeded", completed_at=NOW, version=2)
    write(refund_store.replace_refund(done, 1))
    with pytest.raises(Stale):
        write(refund_store.replace_refund(replace(made, status="failed", version=2), 1))
    assert refund_store.get_refund("rfd_1") == done
    assert refund_store.get_refund("rfd_2") is None


def test_a_provider_is_asked_again_after_a_quarter_of_an_hour() -> None:
    add_refund("rfd_1")
    assert to_look_at(14) == []
    assert to_look_at(15) == ["rfd_1"]


def test_a_leader_is_not_asked_before_its_48_hours_are_over() -> None:
    add_refund("rfd_1", method="leader_collect")
    assert to_look_at(48 * 60 - 1) == []
    assert to_look_at(48 * 60) == ["rfd_1"]


def test_a_refund_looked_at_waits_for_the_next_look() -> None:
    made = add_refund("rfd_1")
    write(refund_store.look_again(made.id, NOW + timedelta(minutes=30)))
    assert to_look_at(29) == []
    assert to_look_at(30) == ["rfd_1"]


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_nobody_looks_at_a_refund_that_has_ended(status: Any) -> None:
    made = add_refund("rfd_1")
    write(refund_store.replace_refund(replace(made, status=status, version=2), 1))
    assert to_look_at(10_000) == []
    with pytest.raises(Stale):
        write(refund_store.look_again(made.id, NOW))


def test_a_refund_that_is_sent_again_is_looked_at_by_its_new_attempt() -> None:
    failed = add_refund("rfd_1", status="failed")
    assert failed.attempt == 1
    retried = failed.retried(NOW + timedelta(days=9))
    write(refund_store.replace_refund(retried, failed.version))
    assert refund_store.get_refund("rfd_1") == retried
    assert to_look_at(9 * 24 * 60 + 14) == []
    assert to_look_at(9 * 24 * 60 + 15) == ["rfd_1"]
    with pytest.raises(Stale):
        write(refund_store.replace_refund(retried, failed.version))


def test_a_refund_keeps_whose_money_it_was() -> None:
    failed = add_refund("rfd_1", status="failed")
    paid = failed.handed_back(Handed("bank", "REFUND 1"), "cash:bank", NOW)
    write(refund_store.replace_refund(paid, failed.version))
    assert refund_store.get_refund("rfd_1") == paid


def test_a_person_is_called_once() -> None:
    made = add_refund("rfd_1")
    write(refund_store.stop_watching(made.id))
    assert to_look_at(10_000) == []
    with pytest.raises(Stale):
        write(refund_store.stop_watching(made.id))


def test_the_longest_waiting_are_looked_at_first() -> None:
    for name, minute in (("rfd_1", 3), ("rfd_2", 1), ("rfd_3", 2)):
        add_refund(name, decided_at=NOW + timedelta(minutes=minute))
    assert to_look_at(60) == ["rfd_2", "rfd_3", "rfd_1"]


def add_remittance(remittance_id: str, minute: int = 0, leader_id: str = "ldr_1") -> Remittance:
    at = NOW + timedelta(minutes=minute)
    made = Remittance(remittance_id, leader_id, 500, "EUR", f"R {remittance_id}", at)
    write(remittance_store.add_remittance(made))
    return made


def test_a_remittance_is_kept_once() -> None:
    made = add_remittance("rem_1")
    assert remittance_store.get_remittance("rem_1") == made
    with pytest.raises(Stale):
        add_remittance("rem_1", minute=5)
    assert remittance_store.get_remittance("rem_1") == made
    assert remittance_store.get_remittance("rem_2") is None


def test_a_remittance_is_reversed_once() -> None:
    made = add_remittance("rem_1")
    reversed_ = made.reversed("typed wrong", "op_2", NOW + timedelta(hours=1))
    write(remittance_store.reverse_remittance(reversed_))
    with pytest.raises(Stale):
        write(remittance_store.reverse_remittance(made.reversed("another", "op_2", NOW)))
    assert remittance_store.get_remittance("rem_1") == reversed_
    assert remittance_store.remittances_of("ldr_1", PageRequest("", 2)).items == (reversed_,)


def test_a_leaders_remittances_are_listed_newest_first_and_nothing_else_of_it() -> None:
    made = [add_remittance(f"rem_{id}", minute) for id, minute in (("b", 2), ("c", 1), ("a", 2))]
    add_remittance("rem_d", leader_id="ldr_2")
    add_refund("rfd_1")
    first = remittance_store.remittances_of("ldr_1", PageRequest("", 2))
    assert first.items == (made[0], made[2])
    second = remittance_store.remittances_of("ldr_1", PageRequest("", 2, first.next_after))
    assert (second.items, second.next_after) == ((made[1],), None)


def test_a_leaders_refunds_are_listed_by_status_and_method_newest_first() -> None:
    first = add_refund("rfd_1", method="leader_collect", customer_id="cus_1")
    add_refund("rfd_2", decided_at=NOW + timedelta(minutes=1))
    add_refund("rfd_3", decided_at=NOW + timedelta(minutes=2), method="leader_collect")
    add_refund("rfd_4", leader_id="ldr_2")
    done = replace(first, status="succeeded", completed_at=NOW, version=2)
    write(refund_store.replace_refund(done, 1))

    def listed(statuses: list[RefundStatus], methods: list[PaymentMethod], **page: Any) -> Any:
        return refund_store.refunds_of("ldr_1", statuses, methods, PageRequest("", **page))

    assert [each.id for each in listed(["pending"], ["leader_collect"]).items] == ["rfd_3"]
    assert listed(["succeeded"], ["leader_collect", "card"]).items == (done,)
    first_page = listed(["pending", "succeeded"], ["card", "leader_collect"], limit=2)
    assert [each.id for each in first_page.items] == ["rfd_3", "rfd_2"]
    rest = listed(["pending", "succeeded"], ["card", "leader_collect"], after=first_page.next_after)
    assert rest.items == (done,)


def a_chargeback(name: str, minute: int = 0) -> Chargeback:
    return Chargeback(
        id=f"cbk_{name}",
        provider="local",
        reference="dp_1",
        charge="ch_1",
        order_id=None,
        refund_id=None,
        amount=1000,
        refunded=0,
        fee=150,
        currency="EUR",
        status="open",
        opened_at=NOW + timedelta(minutes=minute),
        version=1,
    )


def test_chargebacks_are_listed_the_newest_first() -> None:
    made = [a_chargeback(name, minute) for name, minute in (("b", 2), ("c", 1), ("a", 2))]
    for each in made:
        write(chargeback_store.add_chargeback(each))
    add_remittance("rem_1")
    first = chargeback_store.chargebacks(PageRequest("", 2))
    assert first.items == (made[0], made[2])
    second = chargeback_store.chargebacks(PageRequest("", 2, first.next_after))
    assert (second.items, second.next_after) == ((made[1],), None)


def test_a_chargeback_is_kept_once_and_closed_once() -> None:
    opened = a_chargeback("1")
    write(chargeback_store.add_chargeback(opened))
    with pytest.raises(Stale):
        write(chargeback_store.add_chargeback(opened))
    assert chargeback_store.get_chargeback("cbk_1") == opened
    won = opened.closed("won", "op_1", NOW)
    write(chargeback_store.replace_chargeback(won))
    with pytest.raises(Stale):
        write(chargeback_store.replace_chargeback(opened.closed("lost", None, NOW)))
    assert chargeback_store.get_chargeback("cbk_1") == won
    assert chargeback_store.get_chargeback("cbk_2") is None


def test_who_bears_refunds_is_set_one_version_after_another() -> None:
    assert payments.refund_bearers() == RefundBearers()
    first = RefundBearers(1, (Bears("damaged", "supplier"),), NOW, "op_1")
    write(payments.set_refund_bearers(first))
    with pytest.raises(Stale):
        write(payments.set_refund_bearers(first))
    second = RefundBearers(2, (), NOW, "op_2", "leader")
    write(payments.set_refund_bearers(second))
    assert payments.refund_bearers() == second
    assert first.of("damaged") == "supplier"
    assert second.of("damaged") == first.of("late") == "leader"


def test_a_look_at_the_whole_table_finds_each_of_them_once() -> None:
    receipts, refunds = [receipt(reference=f"ch_{n}") for n in range(3)], [add_refund("rfd_1")]
    for each in receipts:
        write(payments.take(each))
    chargebacks, remittances = [a_chargeback("1"), a_chargeback("2")], [add_remittance("rem_1")]
    for made in chargebacks:
        write(chargeback_store.add_chargeback(made))
    write(payments.set_refund_bearers(RefundBearers(1, (), NOW, "op_1")))
    for size in (1, 3, 100):
        pages = [scanning.scanned(None, size)]
        while pages[-1].next_after:
            pages.append(scanning.scanned(pages[-1].next_after, size))
        found = [(p.receipts, p.refunds, p.chargebacks, p.remittances) for p in pages]
        of_kinds = ([made for some in of for made in some] for of in zip(*found, strict=True))
        assert [sorted(of, key=lambda made: made.id) for of in of_kinds] == [
            *(receipts, refunds, chargebacks, remittances)
        ]


def test_what_is_known_of_how_a_refund_is_sent_leaves_its_next_look() -> None:
    pending = add_refund("rfd_1")
    write(refund_store.look_again("rfd_1", NOW + timedelta(hours=7)))
    asked = pending.asked()
    write(refund_store.note(asked))
    first = asked.going_beside("cbk_1")
    write(refund_store.note(first))
    beside = first.going_beside("cbk_2")
    write(refund_store.note(beside))
    assert beside.beside == ("cbk_1", "cbk_2")
    assert refund_store.get_refund("rfd_1") == beside
    assert to_look_at(6 * 60 + 59) == []
    assert to_look_at(7 * 60) == ["rfd_1"]
    for late in (asked, first, beside):
        with pytest.raises(Stale):
            write(refund_store.note(late))


def test_refunds_that_are_stored_are_read_in_the_order_in_which_they_are_named() -> None:
    first, second = add_refund("rfd_1"), add_refund("rfd_2")
    taken = second.taken_by_bank(second.amount, NOW)
    write(refund_store.replace_refund(taken, second.version))
    assert refund_store.get_refunds(["rfd_2", "rfd_3", "rfd_1"]) == [taken, first]


def test_a_chargeback_keeps_which_refunds_it_has_paid() -> None:
    opened = a_chargeback("1").paying("rfd_1", 300)
    write(chargeback_store.add_chargeback(opened))
    more = opened.paying("rfd_2", 700).changed()
    write(chargeback_store.replace_chargeback(more))
    found = chargeback_store.get_chargeback("cbk_1")
    assert found == more
    assert (found.paid_amount, found.unmatched) == (1000, 0)
