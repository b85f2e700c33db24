"""What a dispatch's parcels, answers and disputes allow, told from what they have been told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.dispatch import disputes, moves, parcels, rules
from chalicelib.dispatch.answers import REASONS, Acceptance, Said
from chalicelib.dispatch.parcels import MOST_PARCELS, Shipment
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict
from tests.support.made import NOW, a_dispatch, a_line, a_parcel, an_order

ARRIVED = clock.to_text(NOW + timedelta(hours=3))


def shipped(*units: int, of: int = 5) -> Dispatch:
    """A dispatch of so many boxes, of which parcels hold some."""
    line = replace(a_dispatch().lines[0], quantity=of)
    sent = tuple(
        a_parcel(f"prc_{n}", tracking_number=f"T{n}", units={"sku_1": each})
        for n, each in enumerate(units)
    )
    return a_dispatch("shipped", lines=(line,), parcels=sent)


@pytest.mark.parametrize("name", ["DHL", "dhl", "Royal Mail", "SF Express"])
def test_a_carrier_is_known_by_its_name(name: str) -> None:
    assert a_parcel(carrier=name).carrier_known


def test_any_other_carrier_is_taken_and_not_known() -> None:
    assert not a_parcel(carrier="Cousin Otto").carrier_known


@pytest.mark.parametrize("text", sorted(REASONS))
def test_a_reason_of_the_list_is_its_own_code(text: str) -> None:
    assert (Said.of(text).code, Said.of(text).note, Said.of(text).text) == (text, None, text)


@pytest.mark.parametrize("text", ["sold out", "Out_of_stock", "out_of_stock "])
def test_any_other_words_are_the_note_of_other(text: str) -> None:
    assert (Said.of(text).code, Said.of(text).note, Said.of(text).text) == ("other", text, text)


def test_what_waits_is_what_no_parcel_holds() -> None:
    assert shipped(1, 2).waiting == {"sku_1": 2}
    assert shipped(1, 4).waiting == {}
    assert a_dispatch("created").waiting == {"sku_1": 2}
    for ended in ("rejected", "cancelled", "delivered"):
        assert replace(shipped(1), status=ended).waiting == {}


def test_a_parcel_is_known_by_dispatch_carrier_and_number() -> None:
    made = parcels.parcel_id("dsp_1", "DHL", "T1")
    assert made == parcels.parcel_id("dsp_1", "DHL", "T1")
    others = {("dsp_2", "DHL", "T1"), ("dsp_1", "UPS", "T1"), ("dsp_1", "DHL", "T2")}
    assert made not in {parcels.parcel_id(*each) for each in others}


def test_a_number_that_a_correction_set_free_is_that_of_another_parcel() -> None:
    shipment = Shipment("DHL", "T1", {"sku_1": 1})
    first = a_parcel(parcels.new_parcel_id((), "dsp_1", shipment)).corrected(None, "T2")
    assert parcels.sent_before((first,), shipment) is None
    second = a_parcel(parcels.new_parcel_id((first,), "dsp_1", shipment)).corrected(None, "T3")
    third = parcels.new_parcel_id((first, second), "dsp_1", shipment)
    assert len({first.id, second.id, third}) == 3


def test_a_shipment_repeats_the_parcel_that_bears_its_number() -> None:
    made = parcels.parcel_id("dsp_1", "DHL", "T1")
    parcel = a_parcel(made, units={"sku_1": 1})
    sent = (parcel,)
    assert parcels.sent_before(sent, Shipment("DHL", "T1", {"sku_1": 1})) == parcel
    assert parcels.sent_before(sent, Shipment("DHL", "T2", {"sku_1": 1})) is None
    for otherwise in (Shipment("DHL", "T1", {"sku_1": 2}), Shipment("DHL", "T1")):
        with pytest.raises(Conflict) as refused:
            parcels.sent_before(sent, otherwise)
        assert refused.value.code == "already_shipped"


def test_everything_that_is_left_repeats_a_parcel_that_took_it() -> None:
    made = parcels.parcel_id("dsp_1", "DHL", "T1")
    parcel = a_parcel(made, is_rest=True)
    assert parcels.sent_before((parcel,), Shipment("DHL", "T1")) == parcel


def test_no_parcel_is_made_beyond_the_most() -> None:
    full = shipped(*[1] * MOST_PARCELS, of=MOST_PARCELS + 1)
    with pytest.raises(Conflict) as refused:
        moves.left_to_ship(full)
    assert refused.value.code == "too_many_parcels"
    one_less = replace(full, parcels=full.parcels[1:])
    assert moves.left_to_ship(one_less) == {"sku_1": 2}


def test_an_acceptance_of_all_says_nothing_of_a_reason() -> None:
    whole = a_dispatch("accepted", acceptance=Acceptance({"sku_1": 2}))
    for units in (None, {"sku_1": 2}):
        assert moves.repeats_acceptance(whole, units, Said.of("damaged"))
    with pytest.raises(Conflict):
        moves.repeats_acceptance(whole, {"sku_1": 1}, Said.of("damaged"))


def test_what_an_acceptance_left_out_is_no_rejection_to_repeat() -> None:
    said = Said.of("out_of_stock")
    left = a_dispatch().without({"sku_1": 1}, said, NOW, by_acceptance=True)
    assert not moves.repeats_rejection(left, None, said)
    told = a_dispatch().without({"sku_1": 1}, said, NOW, named={"sku_1": 1})
    assert moves.repeats_rejection(told, {"sku_1": 1}, said)
    assert not moves.repeats_rejection(told, None, said)


def test_a_dispatch_is_delivered_once_nothing_waits_or_is_on_its_way() -> None:
    line = a_line(quantity=5).after_shipping("prc_0", 2).after_delivery("prc_0")
    sent = shipped(2)
    here = sent.with_parcels([replace(sent.parcels[0], delivered_at=ARRIVED)])
    assert rules.ended(an_order((line,)), here).status == "shipped"
    ended = rules.ended(an_order((line.after_refund(3),)), here)
    assert (ended.status, ended.delivered_at) == ("delivered", NOW + timedelta(hours=3))
    assert rules.ended(an_order((line.after_refund(3),)), sent).status == "cancelled"


def test_a_dispatch_shows_its_first_parcels_number() -> None:
    sent = a_dispatch("accepted").sent(a_parcel("prc_1", tracking_number="T1"), NOW)
    more = sent.sent(a_parcel("prc_2", tracking_number="T2"), NOW + timedelta(hours=1))
    assert (more.tracking_number, more.shipped_at, more.version) == ("T1", NOW, 3)
    corrected = more.with_parcels([a_parcel("prc_1", tracking_number="T9")])
    assert (corrected.tracking_number, len(corrected.parcels)) == ("T9", 2)


@pytest.mark.parametrize("status", ["pending_payment", "paid", "completed", "refunded"])
def test_a_delivery_is_disputed_while_the_return_window_is_open(status: str) -> None:
    order, parcels = an_order(status="delivered", completes_at=NOW), [a_parcel("prc_1")]
    disputes.check_open(order, parcels, NOW - timedelta(milliseconds=1))
    disputes.check_open(an_order(status="shipped"), parcels, NOW)
    for closed in (order, an_order(status=status)):
        with pytest.raises(Conflict) as refused:
            disputes.check_open(closed, parcels, NOW)
        assert refused.value.code == "dispute_not_open"


def test_what_has_not_arrived_is_not_disputed() -> None:
    with pytest.raises(Conflict) as refused:
        disputes.check_open(an_order(status="shipped"), [], NOW)
    assert refused.value.code == "not_delivered"


def test_a_dispute_is_about_what_has_arrived_and_was_not_disputed() -> None:
    sent = shipped(1, 1, 1)
    on_its_way, here, before = sent.parcels
    here = replace(here, delivered_at=ARRIVED)
    before = replace(before, delivered_at=ARRIVED, dispute_id="dpt_1")
    some = replace(sent, parcels=(on_its_way, here, before))
    assert disputes.disputed_by(some, None) == [here]
    assert disputes.disputed_by(some, here) == [here]
    assert disputes.disputed_by(some, on_its_way) == []
    with pytest.raises(Conflict) as refused:
        disputes.disputed_by(some, before)
    assert refused.value.code == "already_disputed"
