"""Each race fails where transactions have no conditions. Races whose control is another mistake,
or says more exactly what it breaks, have it beside them."""

from collections.abc import Callable

import pytest

from tests.race import test_collected_cash as collected_cash
from tests.race import test_dispatches as dispatches
from tests.race import test_idempotency as idempotency
from tests.race import test_parties as parties
from tests.race import test_payments as payments
from tests.race import test_settlement as settlement
from tests.race import test_stock as stock
from tests.support.clouds import IN_MEMORY
from tests.support.unguarded import unguarded
from tests.support.world import World

Race = Callable[[World], None]

RACES: list[Race] = [
    collected_cash.test_collecting_and_remitting_at_once_keep_to_the_limit_and_to_what_is_held,
    dispatches.test_a_dispatch_is_rejected_or_shipped_never_both,
    dispatches.test_two_suppliers_of_an_order_reject_at_once_and_all_of_it_is_refunded,
    dispatches.test_refunds_of_an_order_at_once_never_exceed_it,
    dispatches.test_a_refund_sent_and_confirmed_sixteen_times_is_paid_out_once,
    dispatches.test_sixteen_suppliers_of_one_order_act_at_once,
    payments.test_of_sixteen_payments_of_an_order_one_is_kept_and_the_others_go_back,
    payments.test_a_customer_cancels_while_paying,
    payments.test_collected_cash_is_booked_once_whatever_its_reference,
    settlement.test_refunds_while_a_run_settles_are_voided_or_clawed_back,
    settlement.test_many_leaders_settled_by_many_workers_close_the_run_once,
    settlement.test_a_leader_is_set_aside_or_settled_never_both,
    settlement.test_a_leader_who_was_set_aside_is_settled_once_however_often_it_is_retried,
    idempotency.test_one_key_for_sixteen_different_orders_is_kept_by_one_of_them,
    idempotency.test_one_key_collects_an_orders_money_once,
    idempotency.test_one_key_refunds_a_unit_once,
    parties.test_a_key_revoked_sixteen_times_at_once_is_gone_and_the_other_stays,
    stock.test_an_order_takes_all_its_lines_or_none,
]


@IN_MEMORY
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__.removeprefix("test_"))
def test_control_each_race_fails_without_conditions(world: World, race: Race) -> None:
    with unguarded(), pytest.raises(AssertionError):
        race(world)
