"""What each function may do: its own role, and resources by name."""

import json
from collections.abc import Iterator
from typing import Any

from infra.template.functions import variable
from tests.template.conftest import of_type

Json = dict[str, Any]


def test_every_function_has_a_role_of_its_own(functions: Json, resources: Json) -> None:
    roles = [function["Role"]["Fn::GetAtt"][0] for function in functions.values()]
    assert len(set(roles)) == len(functions)
    assert set(roles) == set(of_type(resources, "AWS::IAM::Role"))


def test_no_policy_names_a_wildcard(resources: Json) -> None:
    for statement in statements(resources):
        assert "*" not in json.dumps(statement["Resource"])
        assert "*" not in json.dumps(statement["Action"])


def test_only_lambda_may_take_a_role(resources: Json) -> None:
    for role in of_type(resources, "AWS::IAM::Role").values():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_a_function_is_granted_just_what_its_environment_names(
    functions: Json, resources: Json
) -> None:
    for name, function in functions.items():
        named = set(resources_named(function["Environment"]["Variables"]))
        granted = set(resources_granted(resources[f"{name}Role"]))
        own = {f"{name}LogGroup", "SchedulesDeadLetterQueue", *consumed(function)}
        assert named <= granted
        assert granted <= named | own


def test_a_function_that_only_reads_a_table_cannot_write_it(resources: Json) -> None:
    role = resources["AuthorizerRole"]
    actions = [action for statement in statements_of(role) for action in statement["Action"]]
    assert "dynamodb:GetItem" in actions
    assert not [
        a for a in actions if a.startswith(("dynamodb:Put", "dynamodb:Update", "dynamodb:Delete"))
    ]


def test_a_worker_puts_what_it_gives_up_where_its_code_looks_for_the_place(functions: Json) -> None:
    """By the name of the function: so its queue has the same."""
    for name, function in functions.items():
        for queue in consumed(function):
            assert queue == f"{name}Queue"
            place = variable(f"{name}DeadLetterQueue")
            assert function["Environment"]["Variables"][place] == {"Ref": f"{name}DeadLetterQueue"}


def test_only_the_api_takes_dead_letters_away(functions: Json, resources: Json) -> None:
    takers = {
        name
        for name in functions
        for statement in statements_of(resources[f"{name}Role"])
        if "sqs:DeleteMessage" in statement["Action"]
        and any("DeadLetterQueue" in logical_id(each) for each in statement["Resource"])
    }
    assert takers == {"APIHandler"}


def statements(resources: Json) -> Iterator[Json]:
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Role":
            yield from statements_of(resource)


def statements_of(role: Json) -> Iterator[Json]:
    for policy in role["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            # A statement on a secret that only some stacks have stands behind its condition.
            yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def resources_named(variables: Json) -> Iterator[str]:
    for name, value in variables.items():
        if name.endswith(("_TABLE", "_QUEUE", "_SECRET")):
            yield logical_id(value["Fn::If"][1] if "Fn::If" in value else value)


def resources_granted(role: Json) -> Iterator[str]:
    for statement in statements_of(role):
        for resource in statement["Resource"]:
            yield logical_id(resource)


def logical_id(resource: Json) -> str:
    ((function, argument),) = resource.items()
    if function == "Fn::GetAtt":
        return str(argument[0])
    return str(argument).removeprefix("${").partition(".")[0]


def consumed(function: Json) -> Iterator[str]:
    for event in function.get("Events", {}).values():
        if event["Type"] == "SQS":
            yield event["Properties"]["Queue"]["Fn::Sub"].removeprefix("${").partition(".")[0]
