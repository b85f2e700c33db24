"""The store in memory answers as DynamoDB does, also where other imitations do not."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynamodb.exceptions import TransactWriteError

from chalicelib.platform import store
from chalicelib.platform.transaction import Update, create, write
from chalicelib.stock.store import StockRow
from tests.support.aws_calls import losing
from tests.support.memory.dynamodb import DynamoDB
from tests.support.memory.errors import Refused
from tests.support.memory.tables import Index, Keys
from tests.support.memory.values import known_item, known_value, spelt
from tests.support.memory_cloud import MemoryCloud, memory_cloud

Json = dict[str, Any]
KEYS = {"pk": {"S": "a"}, "sk": {"S": "1"}}


class Time:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def db(time: Time) -> DynamoDB:
    made = DynamoDB(time)
    indexes = [
        Index("due", Keys("due", "at"), keys_only=True),
        Index("whole", Keys("due", "pk"), keys_only=False),
    ]
    made.add_table("T", Keys("pk", "sk"), indexes)
    return made


def put(db: DynamoDB, pk: str = "a", sk: str = "1", **attributes: Json) -> None:
    db.answer("PutItem", {"TableName": "T", "Item": item(pk, sk, **attributes)})


def item(pk: str = "a", sk: str = "1", **attributes: Json) -> Json:
    return {"pk": {"S": pk}, "sk": {"S": sk}, **attributes}


def get(db: DynamoDB, pk: str = "a", sk: str = "1") -> Any:
    return db.answer("GetItem", {"TableName": "T", "Key": item(pk, sk)}).get("Item")


def update(db: DynamoDB, expression: str, **more: Any) -> Any:
    asked = {"TableName": "T", "Key": KEYS, "UpdateExpression": expression, **more}
    return db.answer("UpdateItem", {**asked, "ReturnValues": "ALL_NEW"})["Attributes"]


def query(db: DynamoDB, condition: str, values: dict[str, str], **more: Any) -> Json:
    given = {name: {"S": text} for name, text in values.items()}
    asked = {"KeyConditionExpression": condition, "ExpressionAttributeValues": given}
    return db.answer("Query", {"TableName": "T", **asked, **more})


def refused(call: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


def holds(db: DynamoDB, condition: str, stored: Json, **values: Json) -> bool | str:
    """Whether it does, or why it cannot be told."""
    put(db, **stored)
    asked = {"TableName": "T", "Item": item(**stored), "ConditionExpression": condition}
    if values:
        asked["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    try:
        db.answer("PutItem", asked)
    except Refused as error:
        return error.code != "ConditionalCheckFailedException" and error.message
    return True


YES: Json = {"BOOL": True}
STORED: Json = {
    "n": {"N": "10"},
    "s": {"S": "green"},
    "l": {"L": [{"S": "x"}, {"N": "2"}]},
    "m": {"M": {"in": {"M": {"deep": {"N": "7"}}}}},
    "ss": {"SS": ["b", "a"]},
    "yes": YES,
}


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("n = :v", {"v": {"N": "10.0"}}, True),
        ("n > :v", {"v": {"N": "9"}}, True),
        ("n > :v", {"v": {"S": "1"}}, False),
        ("none > :v", {"v": {"N": "1"}}, False),
        ("none <> :v", {"v": {"N": "1"}}, True),
        ("none = :v", {"v": {"N": "1"}}, False),
        ("n <> :v", {"v": {"N": "10"}}, False),
        ("n BETWEEN :a AND :b AND attribute_exists(s)", {"a": {"N": "10"}, "b": {"N": "10"}}, True),
        ("NOT n IN (:a, :b)", {"a": {"N": "1"}, "b": {"N": "2"}}, True),
        ("n IN (:a, :b)", {"a": {"N": "1"}, "b": {"N": "10"}}, True),
        ("begins_with(s, :v)", {"v": {"S": "gre"}}, True),
        ("begins_with(s, :v)", {"v": {"S": "ree"}}, False),
        ("contains(s, :v)", {"v": {"S": "ree"}}, True),
        ("contains(ss, :v)", {"v": {"S": "b"}}, True),
        ("contains(ss, :v)", {"v": {"N": "1"}}, False),
        ("contains(l, :v)", {"v": {"N": "2.0"}}, True),
        ("ss = :v", {"v": {"SS": ["a", "b"]}}, True),
        ("size(l) = :v", {"v": {"N": "2"}}, True),
        ("size(s) >= :v", {"v": {"N": "6"}}, False),
        ("attribute_type(n, :v)", {"v": {"S": "N"}}, True),
        ("attribute_type(n, :v)", {"v": {"S": "S"}}, False),
        ("l[1] = :v", {"v": {"N": "2"}}, True),
        ("attribute_exists(l[2])", {}, False),
        ("m.in.deep < :v", {"v": {"N": "8"}}, True),
        ("attribute_not_exists(m.out.deep)", {}, True),
    ],
)
def test_a_condition_holds_or_not(
    db: DynamoDB, condition: str, values: Json, expected: bool
) -> None:
    assert holds(db, condition, STORED, **values) is expected


def test_names_stand_for_attributes_and_nothing_given_may_go_unused(db: DynamoDB) -> None:
    put(db, status={"S": "paid"})
    named = {"ExpressionAttributeNames": {"#0": "status", "#1": "other"}}
    unused = refused(lambda: update(db, "REMOVE #0", **named))
    assert "unused in expressions: #1" in unused.message
    undefined = refused(lambda: update(db, "REMOVE #2"))
    assert "not defined: #2" in undefined.message
    assert update(db, "REMOVE #0", ExpressionAttributeNames={"#0": "status"}) == KEYS


@pytest.mark.parametrize(
    "expression",
    ["", "n", "n = ", "n == :v", "(n = :v", "n = :v)", "n ? :v", "n BETWEEN :v", "f(n)"],
)
def test_what_is_no_condition_is_refused(db: DynamoDB, expression: str) -> None:
    asked = {"TableName": "T", "Item": item(), "ConditionExpression": expression}
    values = {"ExpressionAttributeValues": {":v": {"N": "1"}}} if ":v" in expression else {}
    assert refused(lambda: db.answer("PutItem", {**asked, **values})).code == "ValidationException"


def test_an_update_reads_what_was_before_it(db: DynamoDB) -> None:
    put(db, a={"N": "1"}, b={"N": "2"}, l={"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}]})
    after = update(
        db,
        "SET a = b, b = a + :one, c = if_not_exists(c, :one), l[9] = :one REMOVE l[0], l[1] "
        "ADD n :one, s :s",
        ExpressionAttributeValues={":one": {"N": "1"}, ":s": {"SS": ["x"]}},
    )
    assert (after["a"], after["b"], after["c"]) == ({"N": "2"}, {"N": "2"}, {"N": "1"})
    assert (after["n"], after["s"]) == ({"N": "1"}, {"SS": ["x"]})
    assert after["l"] == {"L": [{"N": "2"}, {"N": "1"}]}


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("SET a = none + :v", "does not exist in the item"),
        ("SET a = s + :v", "incorrect data type"),
        ("ADD s :v", "incorrect data type"),
        ("SET pk = :v", "part of the key"),
        ("SET a = :v, a = :v", "overlap"),
        ("SET m.x = :v, m = :v", "overlap"),
        ("SET none.x = :v", "document path"),
        ("SET s.x = :v", "document path"),
    ],
)
def test_an_update_that_cannot_be_changes_nothing(db: DynamoDB, expression: str, said: str) -> None:
    put(db, s={"S": "text"}, m={"M": {}})
    values = {"ExpressionAttributeValues": {":v": {"N": "1"}}}
    assert said in refused(lambda: update(db, expression, **values)).message
    assert get(db) == item(s={"S": "text"}, m={"M": {}})


def test_a_new_item_is_made_by_an_update_and_a_set_without_members_is_gone(db: DynamoDB) -> None:
    one = {"ExpressionAttributeValues": {":s": {"SS": ["x"]}}}
    assert update(db, "ADD s :s", **one) == item(s={"SS": ["x"]})
    assert update(db, "DELETE s :s", **one) == item()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("007", "7"),
        ("-0", "0"),
        ("1.50", "1.5"),
        ("1E3", "1000"),
        ("12000", "12000"),
        ("9" * 38, "9" * 38),
        ("-0.001", "-0.001"),
    ],
)
def test_a_number_has_one_spelling(given: str, kept: str) -> None:
    assert known_value({"N": given})[0] == {"N": kept}


@pytest.mark.parametrize("given", ["9" * 39, "1E126", "1E-131", "NaN", "Infinity", "ten", ""])
def test_no_other_number_is_taken(given: str) -> None:
    assert refused(lambda: known_value({"N": given})).code == "ValidationException"


@given(st.integers(-(10**38) + 1, 10**38 - 1))
def test_whole_numbers_are_spelt_as_python_does(value: int) -> None:
    assert spelt(value) == str(value) == known_value({"N": str(value)})[0]["N"]


def test_a_sum_beyond_what_a_number_holds_is_refused(db: DynamoDB) -> None:
    put(db, n={"N": "9" * 38})
    values = {"ExpressionAttributeValues": {":v": {"N": "0.1"}}}
    assert "38 significant" in refused(lambda: update(db, "SET n = n + :v", **values)).message


@pytest.mark.parametrize(
    "value", [{"S": 1}, {"N": 1}, {"SS": []}, {"SS": ["a", "a"]}, {"X": "a"}, {}]
)
def test_what_is_no_value_is_refused(value: Json) -> None:
    refused(lambda: known_value(value))


def test_an_item_of_400_kb_is_the_largest(db: DynamoDB) -> None:
    room = 400 * 1024 - known_item(item(t={"S": ""}))[1]
    put(db, t={"S": "x" * room})
    too_large = item(t={"S": "x" * (room - 1) + "ü"})
    assert "maximum allowed size" in refused(lambda: put(db, t=too_large["t"])).message
    write = {"Put": {"TableName": "T", "Item": too_large}}
    error = refused(lambda: db.answer("TransactWriteItems", {"TransactItems": [write]}))
    assert error.more["CancellationReasons"][0]["Code"] == "ValidationError"


@pytest.mark.parametrize(
    "key", [item("", "1"), item("a", ""), item("k" * 2049), item("a", "k" * 1025)]
)
def test_a_key_is_neither_empty_nor_too_long(db: DynamoDB, key: Json) -> None:
    for operation, said in (("GetItem", {"Key": key}), ("PutItem", {"Item": key})):
        error = refused(lambda op=operation, it=said: db.answer(op, {"TableName": "T", **it}))  # type: ignore[misc]
        assert error.code == "ValidationException"
    wrong = refused(lambda: query(db, "pk = :p", {":p": "k" * 2049}))
    assert wrong.code == "ValidationException"


@pytest.mark.parametrize("due", [{"S": ""}, {"N": "1"}])
def test_no_index_has_a_key_that_is_empty_or_no_text(db: DynamoDB, due: Json) -> None:
    assert "due" in refused(lambda: put(db, due=due, at={"S": "1"})).message
    assert get(db) is None


def test_an_index_shows_what_has_both_its_keys_where_it_is_now(db: DynamoDB) -> None:
    put(db, "a", due={"S": "soon"}, at={"S": "2"}, more={"S": "x"})
    put(db, "b", due={"S": "soon"}, at={"S": "1"})
    put(db, "c", due={"S": "soon"})
    soon: Json = {"condition": "due = :d", "values": {":d": "soon"}}
    found = query(db, **soon, IndexName="due")["Items"]
    assert [each["pk"]["S"] for each in found] == ["b", "a"]
    assert found[1] == item(due={"S": "soon"}, at={"S": "2"})
    assert query(db, **soon, IndexName="whole")["Items"][0]["more"] == {"S": "x"}
    update(db, "SET at = :now REMOVE more", ExpressionAttributeValues={":now": {"S": "0"}})
    assert [each["pk"]["S"] for each in query(db, **soon, IndexName="due")["Items"]] == ["a", "b"]
    update(db, "REMOVE at")
    db.answer("DeleteItem", {"TableName": "T", "Key": item("b")})
    assert query(db, **soon, IndexName="due")["Items"] == []
    consistent = refused(lambda: query(db, **soon, IndexName="due", ConsistentRead=True))
    assert "Consistent reads are not supported" in consistent.message


WORDS = st.text(alphabet="abß", min_size=1, max_size=3)
SIGNS: dict[str, Callable[[str, str, str], bool]] = {
    "sk = :x": lambda sk, x, _: sk == x,
    "sk < :x": lambda sk, x, _: sk < x,
    "sk <= :x": lambda sk, x, _: sk <= x,
    "sk > :x": lambda sk, x, _: sk > x,
    "sk >= :x": lambda sk, x, _: sk >= x,
    "begins_with(sk, :x)": lambda sk, x, _: sk.startswith(x),
    "sk BETWEEN :x AND :y": lambda sk, x, y: x <= sk <= y,
}


@given(st.sets(WORDS), st.sampled_from([*SIGNS]), WORDS, WORDS, st.booleans(), st.integers(1, 4))
def test_pages_of_a_query_are_all_that_a_look_at_each_item_finds(
    sks: set[str], condition: str, x: str, y: str, forward: bool, limit: int
) -> None:
    db, (x, y) = DynamoDB(), sorted((x, y))
    db.add_table("T", Keys("pk", "sk"), [])
    for sk in sks:
        put(db, "a", sk)
    values = {":p": "a", ":x": x, **({":y": y} if ":y" in condition else {})}
    more: Json = {"ScanIndexForward": forward, "Limit": limit}
    found: list[str] = []
    start = None
    while start is not None or not found:
        if start:
            more["ExclusiveStartKey"] = start
        page = query(db, f"pk = :p AND {condition}", values, **more)
        assert len(page["Items"]) == page["ScannedCount"] <= limit
        found += [each["sk"]["S"] for each in page["Items"]]
        start = page.get("LastEvaluatedKey")
        if start is None:
            break
        # What a page ended with may be gone when the next is asked for.
        db.answer("DeleteItem", {"TableName": "T", "Key": start})
    due = sorted((sk for sk in sks if SIGNS[condition](sk, x, y)), reverse=not forward)
    assert found == due


def test_a_page_that_is_full_says_where_to_go_on_even_at_the_end(db: DynamoDB) -> None:
    put(db)
    page = query(db, "pk = :p", {":p": "a"}, Limit=1)
    assert page["LastEvaluatedKey"] == KEYS
    end = query(db, "pk = :p", {":p": "a"}, Limit=1, ExclusiveStartKey=KEYS)
    assert end == {"Items": [], "Count": 0, "ScannedCount": 0}


def test_a_limit_counts_what_is_looked_at_before_the_filter(db: DynamoDB) -> None:
    for n in range(4):
        put(db, sk=str(n), n={"N": str(n)})
    values = {":p": {"S": "a"}, ":two": {"N": "2"}}
    asked = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": values}
    page = db.answer(
        "Query", {"TableName": "T", **asked, "FilterExpression": "n >= :two", "Limit": 3}
    )
    assert (page["Count"], page["ScannedCount"]) == (1, 3)
    assert page["LastEvaluatedKey"] == item(sk="2")


def test_a_page_ends_with_the_megabyte_it_goes_beyond(db: DynamoDB) -> None:
    for n in range(4):
        put(db, sk=str(n), t={"S": "x" * 390_000})
    assert query(db, "pk = :p", {":p": "a"})["LastEvaluatedKey"] == item(sk="2")


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("sk = :x", {":x": "1"}),
        ("pk > :x", {":x": "1"}),
        ("pk = :x AND other = :y", {":x": "1", ":y": "2"}),
        ("pk = :x AND contains(sk, :y)", {":x": "1", ":y": "2"}),
        ("pk = :x OR sk = :y", {":x": "1", ":y": "2"}),
        ("pk = :x AND sk BETWEEN :z AND :y", {":x": "1", ":y": "1", ":z": "2"}),
        ("pk = :x", {":x": ""}),
    ],
)
def test_a_query_names_its_keys_as_they_are(
    db: DynamoDB, condition: str, values: dict[str, str]
) -> None:
    assert refused(lambda: query(db, condition, values)).code == "ValidationException"


def test_a_query_filters_by_no_key_and_goes_on_from_a_whole_one(db: DynamoDB) -> None:
    by_key = {"FilterExpression": "sk = :s"}
    filtered = refused(lambda: query(db, "pk = :p", {":p": "a", ":s": "1"}, **by_key))
    assert "non-primary key" in filtered.message
    start = {"ExclusiveStartKey": {"pk": {"S": "a"}}}
    assert "starting key" in refused(lambda: query(db, "pk = :p", {":p": "a"}, **start)).message


def test_segments_and_pages_of_a_scan_meet_every_item_once(db: DynamoDB) -> None:
    made = {(f"p{n}", str(m)) for n in range(20) for m in range(3)}
    for pk, sk in made:
        put(db, pk, sk)
    found = []
    for segment in range(3):
        start: Json = {}
        while True:
            asked = {"TableName": "T", "Segment": segment, "TotalSegments": 3, "Limit": 7, **start}
            page = db.answer("Scan", asked)
            found += [(each["pk"]["S"], each["sk"]["S"]) for each in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert len(found) == len(made)
    assert {*found} == made
    assert [pk for pk, _ in found] != sorted(pk for pk, _ in found)


def transact(db: DynamoDB, *writes: Json, **more: Any) -> None:
    named = [{kind: {"TableName": "T", **said} for kind, said in each.items()} for each in writes]
    db.answer("TransactWriteItems", {"TransactItems": named, **more})


def test_a_transaction_is_whole_or_nothing_and_says_why(db: DynamoDB) -> None:
    put(db, n={"N": "1"})
    new = {"ConditionExpression": "attribute_not_exists(pk)"}
    shown = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    error = refused(
        lambda: transact(
            db,
            {"Put": {"Item": item("b"), **new}},
            {"ConditionCheck": {"Key": KEYS, **new}},
            {"Update": {"Key": item("c"), "UpdateExpression": "SET a = none"}},
            {"Delete": {"Key": item("d"), "ConditionExpression": "attribute_exists(pk)"}},
        )
    )
    assert error.code == "TransactionCanceledException"
    codes = [reason["Code"] for reason in error.more["CancellationReasons"]]
    assert codes == ["None", "ConditionalCheckFailed", "ValidationError", "ConditionalCheckFailed"]
    assert get(db, "b") is None
    error = refused(lambda: transact(db, {"Put": {"Item": item(), **new, **shown}}))
    assert error.more["CancellationReasons"][0]["Item"] == item(n={"N": "1"})


def test_a_transaction_sees_nothing_of_itself(db: DynamoDB) -> None:
    put(db, "b")
    transact(
        db,
        {"Put": {"Item": item("a")}},
        {"Delete": {"Key": item("b")}},
        {"ConditionCheck": {"Key": item("c"), "ConditionExpression": "attribute_not_exists(pk)"}},
    )
    assert (get(db, "a"), get(db, "b")) == (item("a"), None)


def test_a_transaction_names_up_to_a_hundred_items_each_once(db: DynamoDB) -> None:
    puts = [{"Put": {"Item": item(sk=str(n))}} for n in range(101)]
    for wrong in (puts, [], [puts[0], {"Delete": {"Key": item(sk="0")}}]):
        assert refused(lambda w=wrong: transact(db, *w)).code == "ValidationException"  # type: ignore[misc]
    transact(db, *puts[:100])
    assert query(db, "pk = :p", {":p": "a"})["Count"] == 100


def test_a_transaction_sent_again_with_its_token_is_done_once(db: DynamoDB, time: Time) -> None:
    add = {
        "Update": {
            "Key": KEYS,
            "UpdateExpression": "ADD n :v",
            "ExpressionAttributeValues": {":v": {"N": "1"}},
        }
    }
    for _ in range(3):
        transact(db, add, ClientRequestToken="t")
    assert get(db)["n"] == {"N": "1"}
    other = {"Put": {"Item": item("b")}}
    error = refused(lambda: transact(db, other, ClientRequestToken="t"))
    assert error.code == "IdempotentParameterMismatchException"
    transact(db, add, ClientRequestToken="u")
    time.now += 601
    transact(db, add, ClientRequestToken="t")
    assert get(db)["n"] == {"N": "3"}


def test_a_token_of_what_was_refused_is_free(db: DynamoDB) -> None:
    held = {"Put": {"Item": item(), "ConditionExpression": "attribute_exists(pk)"}}
    refused(lambda: transact(db, held, ClientRequestToken="t"))
    put(db)
    transact(db, held, ClientRequestToken="t")


def test_a_batch_reads_a_hundred_and_writes_twenty_five_each_once(db: DynamoDB) -> None:
    requests = [{"PutRequest": {"Item": item(sk=f"{n:02}")}} for n in range(26)]
    for wrong in (requests, [requests[0], {"DeleteRequest": {"Key": item(sk="00")}}]):
        asked = {"RequestItems": {"T": wrong}}
        assert refused(lambda a=asked: db.answer("BatchWriteItem", a)).code == "ValidationException"  # type: ignore[misc]
    db.answer("BatchWriteItem", {"RequestItems": {"T": requests[:25]}})
    keys = [item(sk=f"{n:02}") for n in range(101)]
    for wrong_keys in (keys, [keys[0], keys[0]]):
        read = {"RequestItems": {"T": {"Keys": wrong_keys}}}
        assert refused(lambda a=read: db.answer("BatchGetItem", a)).code == "ValidationException"  # type: ignore[misc]
    found = db.answer("BatchGetItem", {"RequestItems": {"T": {"Keys": keys[:100]}}})
    shown = [each["sk"]["S"] for each in found["Responses"]["T"]]
    assert sorted(shown) == [f"{n:02}" for n in range(25)]
    assert shown != sorted(shown)


def test_a_batch_of_more_than_16_mb_leaves_some_to_be_asked_for_again(db: DynamoDB) -> None:
    for n in range(50):
        put(db, sk=f"{n:02}", t={"S": "x" * 390_000})
    keys = [item(sk=f"{n:02}") for n in range(50)]
    answer = db.answer("BatchGetItem", {"RequestItems": {"T": {"Keys": keys}}})
    left = answer["UnprocessedKeys"]["T"]["Keys"]
    assert len(answer["Responses"]["T"]) + len(left) == 50
    assert len(left) == 7


def test_what_is_read_is_nobodys_but_its_readers(db: DynamoDB) -> None:
    given_item = item(l={"L": [{"S": "x"}]})
    db.answer("PutItem", {"TableName": "T", "Item": given_item})
    given_item["l"]["L"].append({"S": "y"})
    get(db)["l"]["L"].clear()
    assert get(db) == item(l={"L": [{"S": "x"}]})


def test_what_it_does_not_know_it_does_not_answer(db: DynamoDB) -> None:
    with pytest.raises(NotImplementedError):
        db.answer("UpdateTable", {})
    with pytest.raises(NotImplementedError):
        db.answer("GetItem", {"TableName": "T", "Key": KEYS, "AttributesToGet": ["pk"]})
    assert refused(lambda: db.answer("GetItem", {"TableName": "U", "Key": KEYS})).code == (
        "ResourceNotFoundException"
    )


def test_a_transaction_whose_answers_are_lost_is_done_once() -> None:
    with memory_cloud():
        write(create(StockRow("sku_1", "stock", available=100)))
        with losing(0.4):
            for _ in range(30):
                with suppress(TransactWriteError):
                    write(Update(StockRow.at("sku_1", "stock"), [StockRow.available.add(-1)]))
        # One that was never answered has been done as well, and nobody has done it again.
        left = store.get(StockRow, "sku_1", "stock")
        assert left
        assert left.available == 70


def test_messages_are_hidden_while_they_are_worked_on_and_come_again(time: Time) -> None:
    sqs = MemoryCloud(time).sqs
    queue = sqs.answer("CreateQueue", {"QueueName": "q"})
    sqs.answer("SendMessage", {**queue, "MessageBody": "now"})
    sqs.answer("SendMessage", {**queue, "MessageBody": "late", "DelaySeconds": 60})
    asked = {**queue, "MaxNumberOfMessages": 10, "AttributeNames": ["ApproximateReceiveCount"]}

    def received() -> list[tuple[str, str]]:
        messages = sqs.answer("ReceiveMessage", asked).get("Messages", ())
        return [(each["Body"], each["Attributes"]["ApproximateReceiveCount"]) for each in messages]

    assert received() == [("now", "1")]
    assert received() == []
    time.now += 60
    assert received() == [("now", "2"), ("late", "1")]
    time.now += 31
    (first, _) = sqs.answer("ReceiveMessage", asked)["Messages"]
    sqs.answer("DeleteMessage", {**queue, "ReceiptHandle": first["ReceiptHandle"]})
    time.now += 31
    assert [body for body, _ in received()] == ["late"]


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{"Id": str(n), "MessageBody": "x"} for n in range(11)],
        [{"Id": "0", "MessageBody": "x"}] * 2,
        [{"Id": "0", "MessageBody": "x" * 1024 * 1024}, {"Id": "1", "MessageBody": "x"}],
        [{"Id": "0", "MessageBody": "x", "DelaySeconds": 901}],
        [{"Id": "0", "MessageBody": ""}],
    ],
)
def test_a_batch_of_messages_that_sqs_would_refuse_is_refused(entries: list[Json]) -> None:
    sqs = MemoryCloud().sqs
    queue = sqs.answer("CreateQueue", {"QueueName": "q"})
    refused(lambda: sqs.answer("SendMessageBatch", {**queue, "Entries": entries}))
    assert "Messages" not in sqs.answer("ReceiveMessage", queue)
