"""A function's role: all that it may do, each on resources by name."""

from collections.abc import Iterator

from infra.template.cloudformation import Json, allow, arn, only_if, policy_document
from infra.template.secrets import secret_arn, where_it_is

READ = ("GetItem", "BatchGetItem", "Query", "ConditionCheckItem")
WRITE = (*READ, "PutItem", "UpdateItem", "DeleteItem")
TABLE_ACTIONS = {
    "read": READ,
    "write": WRITE,
    "fold": (*WRITE, "Scan"),
    "survey": (*READ, "Scan"),
    "publish": ("PutItem", "DeleteItem"),
    "drain": ("Scan", "DeleteItem"),
}

REDRIVE = ("GetQueueAttributes", "ReceiveMessage", "ChangeMessageVisibility", "DeleteMessage")


def role(name: str, function: Json, tables: Json) -> Json:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": policy_document(
                [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ]
            ),
            # X-Ray knows no resources, so its permission is AWS's own policy, and only if traced.
            "ManagedPolicyArns": {
                "Fn::If": [
                    "Traced",
                    [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"}],
                    [],
                ]
            },
            "Policies": [
                {
                    "PolicyName": name,
                    "PolicyDocument": policy_document(list(statements(name, function, tables))),
                }
            ],
        },
    }


def statements(name: str, function: Json, tables: Json) -> Iterator[Json]:
    """All that the function may do, each on resources by name."""
    yield allow("logs", ("CreateLogStream", "PutLogEvents"), [arn(f"{name}LogGroup")])
    for table, access in function.get("tables", {}).items():
        yield allow("dynamodb", TABLE_ACTIONS[access], table_arns(table, tables[table], access))
    if queue_name := function.get("consumes"):
        actions = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        yield allow("sqs", actions, [arn(f"{queue_name}Queue")])
        yield allow("sqs", ("SendMessage",), [arn(f"{queue_name}DeadLetterQueue")])
    if sends := function.get("sends"):
        yield send([f"{queue_name}Queue" for queue_name in sends])
    if redrives := function.get("redrives"):
        yield allow("sqs", REDRIVE, [arn(f"{name}DeadLetterQueue") for name in redrives])
    if function.get("schedule"):
        yield send(["SchedulesDeadLetterQueue"])
    for secret in function.get("secrets", ()):
        statement = allow("secretsmanager", ("GetSecretValue",), [secret_arn(secret)])
        yield where_it_is(secret, statement)


def send(queues: list[str]) -> Json:
    statement = allow("sqs", ("SendMessage",), [arn(name) for name in queues])
    # AWS lets who may send a message send ten; the local cloud takes that for another action.
    batch = only_if("OnOneMachine", "sqs:SendMessageBatch")
    return {**statement, "Action": [*statement["Action"], batch]}


def table_arns(name: str, table: Json, access: str) -> list[Json]:
    indexes = table.get("indexes", {}) if "Query" in TABLE_ACTIONS[access] else {}
    return [
        arn(f"{name}Table"),
        *({"Fn::Sub": f"${{{name}Table.Arn}}/index/{index}"} for index in indexes),
    ]
