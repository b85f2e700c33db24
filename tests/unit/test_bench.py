"""The bench's own arithmetic: what it counts, compares and says."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from infra.failures import Fixable, exit_code_of
from infra.package import Package
from tests.bench import __main__ as bench
from tests.bench import hottest
from tests.bench.caller import body_of, event
from tests.bench.figures import Figure, explained, missed, ratio, table
from tests.bench.hottest import Spread
from tests.bench.imports import API, paths, probe, workers
from tests.bench.placing import fresh
from tests.bench.process import measured_in_process
from tests.bench.watched import Call, Item, renamed, size_of, write_units

WITHIN = Figure("Placing", "write units", 16, 16)
BEYOND = Figure("Importing", "app", 2.21, 2.2, "x")
TOLD = Figure("Placing", "bytes", 5000)


def test_a_ratio_is_the_median_over_the_rounds() -> None:
    assert ratio([3.0, 4.0, 10.0], [2.0, 2.0, 2.0]) == 2.0


def test_rounds_that_do_not_pair_up_make_no_ratio() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratio([1.0, 2.0], [1.0])


def test_a_figure_is_met_up_to_its_target_and_not_beyond() -> None:
    assert WITHIN.met
    assert not BEYOND.met


def test_a_figure_that_has_to_be_large_is_met_from_its_target_on() -> None:
    least = Figure("Delivering", "times as many", 15, 15, "x", at_least=True)
    assert least.met
    assert not replace(least, measured=14.9).met
    assert cells(shown([least]), "times as many") == ["15.00 x", "at least 15.00 x", "yes"]


def test_a_number_without_a_target_is_never_missed() -> None:
    assert missed([WITHIN, BEYOND, TOLD]) == [BEYOND]


def test_parts_are_told_the_largest_first() -> None:
    parts = explained("Placing", {"by_leader": 1.0, "ordering": 8.0, "due": 2.0})
    assert [(part.what.strip(), part.measured) for part in parts] == [
        ("of which ordering", 8.0),
        ("of which due", 2.0),
        ("of which by_leader", 1.0),
    ]


def test_the_table_says_what_was_measured_what_it_may_be_and_whether_it_is() -> None:
    lines = shown([WITHIN, TOLD, BEYOND])
    assert cells(lines, "write units") == ["16", "16", "yes"]
    assert cells(lines, "bytes") == ["5000", "", ""]
    assert cells(lines, "app") == ["2.21 x", "2.20 x", "no"]


@pytest.mark.parametrize(("figures", "code"), [([WITHIN, TOLD], 0), ([WITHIN, BEYOND], 1)])
def test_a_missed_target_ends_with_1(
    figures: list[Figure],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(bench, "measure", lambda say: figures)
    assert exit_code_of(bench.main) == code
    told = capsys.readouterr()
    assert "write units" in told.out
    assert ("importing: app" in told.err) == bool(code)


def test_write_units_are_counted_by_table_and_by_index() -> None:
    consumed = {
        "TableName": "Orders",
        "CapacityUnits": 10.0,
        "Table": {"CapacityUnits": 8.0},
        "GlobalSecondaryIndexes": {"due": {"CapacityUnits": 2.0}},
    }
    keys = {"TableName": "Keys", "CapacityUnits": 2.0}
    calls = [
        Call("TransactWriteItems", {}, [consumed, keys]),
        Call("UpdateItem", {}, [{"TableName": "Keys", "CapacityUnits": 1.0}]),
    ]
    assert write_units(calls) == {"Orders": 8.0, "Orders/due": 2.0, "Keys": 3.0}


def test_reading_takes_no_write_units() -> None:
    read = {"TableName": "Orders", "CapacityUnits": 14.0}
    assert write_units([Call("TransactGetItems", {}, [read]), Call("Query", {}, [read])]) == {}


def test_an_item_is_as_large_as_its_names_and_values() -> None:
    # pk + ab = 4; n + two bytes of digits, one more, one for the sign = 5; b + xyz = 4; ö + é = 4.
    item: Item = {"pk": {"S": "ab"}, "n": {"N": "-123"}, "b": {"B": b"xyz"}, "ö": {"S": "é"}}
    assert size_of(item) == 17


def test_a_request_is_copied_under_other_names() -> None:
    sent = {"Items": [{"Put": {"pk": {"S": "ord_1"}, "body": {"B": b"ord_1"}, "n": 1}}]}
    copied = renamed(sent, {"ord_1": "ord_2"})
    assert copied == {"Items": [{"Put": {"pk": {"S": "ord_2"}, "body": {"B": b"ord_1"}, "n": 1}}]}
    assert sent["Items"][0]["Put"]["pk"] == {"S": "ord_1"}


def test_a_new_name_is_as_long_as_the_old_one_and_never_the_same() -> None:
    old = "ord_01a1ffead4c3648a0fcedb45e000"
    first, second = fresh(old)[old], fresh(old)[old]
    assert len({old, first, second}) == 3
    assert {len(first), len(second)} == {len(old)}


def test_each_event_asks_the_api_under_a_key_of_its_own() -> None:
    first, second = (
        event("PUT", "/v1/skus/{id}/stock", {}, role="operator", sub="op", id="sku_1")
        for _ in range(2)
    )
    assert first["path"] == "/v1/skus/sku_1/stock"
    assert first["requestContext"]["authorizer"]["role"] == "operator"
    assert first["headers"]["Idempotency-Key"] != second["headers"]["Idempotency-Key"]


def test_an_answer_that_is_no_success_is_not_measured() -> None:
    with pytest.raises(RuntimeError, match="409"):
        body_of({"statusCode": 409, "body": '{"code": "out_of_stock"}'})


@pytest.mark.parametrize(
    ("pk", "sk", "functions"),
    [("key_1", "answer", 1), ("cmp_1", "leader#ldr_1", 10), ("cmp_1", "campaign", 1_000)],
)
def test_what_is_kept_for_a_second_is_read_by_every_function_that_needs_it(
    pk: str, sk: str, functions: int
) -> None:
    spread = Spread({"ldr_1": hottest.COMMUNITIES}, {}, frozenset({"key_1"}))
    assert hottest.readers({"pk": {"S": pk}, "sk": {"S": sk}}, spread) == functions


def test_caps_are_counted_by_their_own_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERING_TABLE", "Orders")
    keys = [("ord_1", "order"), ("cap#cmp_1#sku_1#7", "cap"), ("cap#cmp_1#places#3", "cap")]
    items = [
        {"Update": {"TableName": "Orders", "Key": {"pk": {"S": pk}, "sk": {"S": sk}}}}
        for pk, sk in keys
    ]
    consumed = [{"TableName": "Orders", "CapacityUnits": 8.0}]
    calls = [Call("TransactWriteItems", {"TransactItems": items}, consumed)]
    spread = Spread({}, {"cap#cmp_1#sku_1": 50, "cap#cmp_1#places": 10}, frozenset({"ord_1"}))
    assert {each.what: each.measured for each in hottest.figures(calls, spread, 50)} == {
        "ordering": 4,
        "ordering, cap on orders": 2_000,
        "ordering, cap on units": 400,
    }


def test_every_packaged_function_but_the_api_is_imported_once(tmp_path: Path) -> None:
    handlers = ["b.workers.one", "b.workers.two", f"{API}.api", "a.authorizer.authorizer"]
    functions = {
        f"F{n}": {"Type": "AWS::Serverless::Function", "Properties": {"Handler": handler}}
        for n, handler in enumerate(handlers)
    }
    other = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {}}}
    (tmp_path / "sam.json").write_text(json.dumps({"Resources": {**functions, **other}}))
    names = ("a.authorizer", "b.workers")
    assert workers(Package(tmp_path)) == {name: f"import {name}" for name in names}


def test_of_the_api_each_set_of_modules_that_a_path_loads_is_imported_once() -> None:
    index = {"/b": ["one", "two"], "/a": ["one"], "/c": ["one"], "/openapi.json": ["one", "two"]}
    assert paths(index) == {"/a": f"import {API}, one", "/b": f"import {API}, one, two"}


def test_a_probe_sees_the_tracer_and_the_cpu_of_an_import(tmp_path: Path) -> None:
    (tmp_path / "aws_xray_sdk.py").write_text("sum(range(10**6))")
    environment = {"PYTHONPATH": str(tmp_path)}
    nothing, untraced = probe("import sys", environment)
    something, traced = probe("import aws_xray_sdk", environment)
    assert (untraced, traced) == (False, True)
    assert something > nothing


def test_an_import_that_fails_is_told() -> None:
    with pytest.raises(Fixable, match="ModuleNotFoundError"):
        probe("import nothing_of_this_name", {})


def test_a_measurement_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(Fixable, match="No module named"):
        measured_in_process("tests.bench.nothing", {}, print)


def shown(figures: list[Figure]) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=100).print(table(figures))
    return text.getvalue().splitlines()


def cells(lines: list[str], what: str) -> list[str]:
    row = next(line for line in lines if what in line)
    return [cell.strip() for cell in row.strip("│").split("│")][1:]
