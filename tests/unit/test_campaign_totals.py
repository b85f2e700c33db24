"""Which thresholds a campaign's total gains and loses as deliveries and refunds move it."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.settlement.campaign_totals import CampaignTotal, Move, moved

THRESHOLDS = st.sets(st.integers(1, 60), max_size=5)
NETS = st.integers(-30, 30).filter(bool)


@st.composite
def totals(draw: st.DrawFn) -> CampaignTotal:
    """One whose standing thresholds it has reached."""
    total = draw(st.integers(0, 60))
    reached = {each for each in draw(THRESHOLDS) if each <= total}
    return CampaignTotal("ldr_1", "cmp_1", total, tuple(sorted(reached)), is_kept=True)


def steps(move: Move) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    return move.gained, move.lost, move.after.reached


def is_within(move: Move, total: int) -> bool:
    above = move.at_least is None or total >= move.at_least
    return above and (move.below is None or total < move.below)


def test_a_total_gains_what_it_reaches_and_loses_what_it_falls_below() -> None:
    total = moved(CampaignTotal("ldr_1", "cmp_1"), 3000, (3000, 3001)).after
    assert (total.total, total.reached, total.is_kept) == (3000, (3000,), True)
    assert moved(total, 1, (3000, 3001)).gained == (3001,)
    assert moved(total, -1, ()).lost == (3000,)
    assert moved(total, 9000, (3000,)).gained == ()


@given(totals(), st.lists(st.tuples(NETS, THRESHOLDS), max_size=8))
def test_what_stands_is_always_reached_and_counted_once(
    total: CampaignTotal, moves: list[tuple[int, set[int]]]
) -> None:
    for net, thresholds in moves:
        move = moved(total, net, thresholds)
        assert move.after.total == total.total + net
        assert all(each <= move.after.total for each in move.after.reached)
        assert not {*move.gained} & {*total.reached}
        assert {*move.lost} <= {*total.reached}
        assert {*move.after.reached} == {*total.reached, *move.gained} - {*move.lost}
        assert net > 0 or not move.gained
        assert net < 0 or not move.lost
        if net > 0:
            assert {each for each in thresholds if each <= move.after.total} <= {
                *move.after.reached
            }
        total = move.after


@given(totals(), NETS, THRESHOLDS, st.integers(0, 60))
def test_within_its_bounds_and_nowhere_else_a_move_comes_to_the_same(
    total: CampaignTotal, net: int, thresholds: set[int], other: int
) -> None:
    move = moved(total, net, thresholds)
    assert is_within(move, total.total)
    assume(all(each <= other for each in total.reached))
    from_other = moved(replace(total, total=other), net, thresholds)
    assert is_within(move, other) == (steps(from_other) == steps(move))
