"""What happens to leaders beside their orders: they are given bonuses, leave, and others come."""

from datetime import timedelta

from chalicelib.dispatch import calling_off, cancelling, delivering
from chalicelib.kernel.callers import Caller
from chalicelib.leaving import service as leaving
from chalicelib.leaving.rules import OPEN
from chalicelib.ordering import store as ordering
from chalicelib.parties import service as parties
from chalicelib.settlement import bonuses
from tests.soak.happening import Operations
from tests.soak.rows import NothingToDo
from tests.soak.town import MONDAY, OPERATOR, Town

OPERATIONS = Operations()
happens = OPERATIONS.happens

TASKS = ("opened a shop", "told its neighbours")
BONUSES, REFERENCES = (300, 777), 400
SELDOM, SELDOM_STAYS = 0.4, 0.05
# Who leaves has orders by then, and some leaders are always left.
SETTLED_IN, AT_ONCE = MONDAY + timedelta(days=7), 2


@happens(2)
def give_a_bonus(town: Town) -> None:
    """Under a reference that may stand for one already."""
    leader_id, reference = town.leader(), f"T{town.chance.randrange(REFERENCES)}"
    task, amount = town.chance.choice(TASKS), town.chance.choice(BONUSES)
    bonuses.give(leader_id, task, amount, reference, OPERATOR, town.request())


@happens(1)
def a_leader_leaves(town: Town) -> None:
    if town.now() < SETTLED_IN or len(town.leaving) == AT_ONCE or town.chance.random() > SELDOM:
        raise NothingToDo("the others stay")
    leader = Caller("leader", town.leader())
    leaving.leave(leader.id, "moves away", leader, town.request(leader))
    town.leaving.add(leader.id)


@happens(1)
def a_leader_stays_after_all(town: Town) -> None:
    if not town.leaving or town.chance.random() > SELDOM_STAYS:
        raise NothingToDo("nobody wavers")
    leader_id = town.chance.choice(sorted(town.leaving))
    leaving.stay(leader_id, OPERATOR, town.request())
    town.leaving.discard(leader_id)


@happens(4)
def wind_up_an_order_of_who_leaves(town: Town) -> None:
    """What is under way for it is called off, or comes to its end."""
    if not town.leaving:
        raise NothingToDo("nobody leaves")
    leader_id = town.chance.choice(sorted(town.leaving))
    orders = [each for each in ordering.all_of_leader(leader_id) if each.status in OPEN]
    if not orders:
        raise NothingToDo("no order is open")
    order = town.chance.choice(orders)
    if order.status != "shipped":
        cancelling.cancel(order.id, None, OPERATOR, town.request())
    for each in order.dispatches if order.status == "shipped" else ():
        if each.status == "shipped":
            delivering.deliver(each.id, None, OPERATOR, town.request())
        elif each.status in ("created", "accepted"):
            calling_off.call_off(each.id, "its leader leaves", OPERATOR, town.request())


@happens(1)
def another_leader_comes(town: Town) -> None:
    """In the place of one that has left."""
    left = [each for each in sorted(town.leaving) if parties.leader(each).left_at]
    if not left:
        raise NothingToDo("nobody has left")
    town.replace_leader(left[0])
