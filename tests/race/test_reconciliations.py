"""Statements of an account that are taken at once: each has its place behind another."""

from typing import Any

from chalicelib.reconciliation import store as reconciliations
from tests.support.at_once import at_once
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.gateway import Answer
from tests.support.statements import csv_file, send
from tests.support.unguarded import unguarded
from tests.support.world import World

STATEMENTS = 6


def take_at_once(world: World, *names: int) -> list[Answer]:
    def take(name: int) -> Any:
        return lambda: send(world.operator, csv_file(("2026-03-20", "1.00", "EUR", f"x{name}")))

    # Its lines are written first, in two writes.
    return at_once([take(name) for name in names], gates=3)


def behind(answers: list[Answer]) -> list[str | None]:
    found = (reconciliations.get_reconciliation(each.json["id"]) for each in answers)
    return [each.behind for each in found if each]


@ALSO_IN_MEMORY
def test_each_is_taken_behind_another_and_all_are_gone_through(world: World) -> None:
    answers = take_at_once(world, *range(STATEMENTS))
    assert [each.status for each in answers] == [202] * STATEMENTS
    # One is the first, and none has two behind it.
    assert len(set(behind(answers))) == STATEMENTS
    assert behind(answers).count(None) == 1
    world.work()
    items = world.operator.get("/v1/reconciliations").json["items"]
    assert [each["status"] for each in items] == ["done"] * STATEMENTS


@ALSO_IN_MEMORY
def test_of_one_statement_taken_at_once_by_many_one_is_taken(world: World) -> None:
    answers = take_at_once(world, *[1] * STATEMENTS)
    assert sorted(each.status for each in answers) == [202, *[409] * (STATEMENTS - 1)]
    assert len(world.operator.get("/v1/reconciliations").json["items"]) == 1


@IN_MEMORY
def test_control_the_rig_catches_statements_that_are_taken_behind_the_same(world: World) -> None:
    with unguarded():
        answers = take_at_once(world, *range(STATEMENTS))
    assert len(set(behind(answers))) < STATEMENTS
