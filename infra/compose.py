"""Composes the merge template for `chalice package` from the short files in `infra/template/`.

Written out by hand it would be 4,000 lines in which sixteen roles, log groups, environments and
alarms say the same thing in slightly different words. The files hold what differs; this module
holds what follows from it. Their sum is plain CloudFormation, and that is what is tested.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]
Resources = dict[str, Json]

TEMPLATE = Path(__file__).parent / "template"
DEFAULT_TIMEOUT = 60
DEFAULT_MEMORY = 512
MAX_RECEIVES = 5
FOURTEEN_DAYS = 14 * 24 * 3600
# A message is given again only after this many times its function's longest run (AWS's advice).
VISIBILITY_TIMEOUTS = 6
OLDEST_MESSAGE_SECONDS = 900

READ = ("GetItem", "BatchGetItem", "Query", "ConditionCheckItem")
WRITE = (*READ, "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")
TABLE_ACTIONS = {
    "read": READ,
    "write": WRITE,
    "fold": (*WRITE, "Scan"),
    "publish": ("PutItem", "DeleteItem"),
    "drain": ("Scan", "DeleteItem"),
}
KEPT_IN_PRODUCTION: Json = {"Fn::If": ["Production", "Retain", "Delete"]}
# Batches of one queue at a time. A number by condition: the local cloud takes a parameter for text.
WORKER_CONCURRENCY: Json = {"Fn::If": ["OnOneMachine", 2, 20]}
CONDITIONAL_SECRETS = {"LocalProviderSecret": "HasLocalPayments"}
ALARM_ACTIONS: Json = {
    "AlarmActions": [{"Ref": "AlarmTopic"}],
    "OKActions": [{"Ref": "AlarmTopic"}],
}

SETTINGS: Json = {
    "STAGE": {"Ref": "Stage"},
    "TIMEZONE": {"Ref": "TimeZone"},
    "RESERVATION_MINUTES": {"Ref": "ReservationMinutes"},
    "LEADER_COLLECT_HOURS": {"Ref": "LeaderCollectHours"},
    "COMMISSION_HOLD_DAYS": {"Ref": "CommissionHoldDays"},
    "SETTLE_OPEN_DAY": {"Ref": "SettleOpenDay"},
    "ALLOW_LOOPBACK_WEBHOOKS": {"Ref": "AllowLoopbackWebhooks"},
    "JWT_ISSUER": {"Ref": "JwtIssuer"},
    "JWT_AUDIENCE": {"Ref": "JwtAudience"},
    "JWT_JWKS_URL": {"Ref": "JwtJwksUrl"},
    "JWT_ROLE_CLAIM": {"Ref": "JwtRoleClaim"},
    "TRACING": {"Ref": "Tracing"},
    "LOG_LEVEL": {"Ref": "LogLevel"},
    "POWERTOOLS_SERVICE_NAME": "tuan",
    "POWERTOOLS_METRICS_NAMESPACE": {"Ref": "MetricsNamespace"},
    "PYTHONPATH": {
        "Fn::If": ["OnOneMachine", {"Ref": "SharedDependencies"}, {"Ref": "AWS::NoValue"}]
    },
}


def compose() -> Json:
    """The merge template: what `chalice package` adds to what it finds in the code."""
    template: Json = load("base")
    tables, functions = load("tables"), load("functions")
    resources: Resources = template["Resources"]
    for name, table in tables.items():
        resources[f"{name}Table"] = table_resource(table)
    for name, function in functions.items():
        resources.update(function_resources(name, function, tables))
        if queue := function.get("consumes"):
            resources.update(queue_resources(queue, timeout_of(function)))
    resources.update(dead_letter_alarm("Schedules"))
    resources["SchedulesDeadLetterQueuePolicy"] = schedules_may_send(functions)
    resources["RestAPI"]["Properties"]["GatewayResponses"] = gateway_responses()
    return template


def load(name: str) -> Json:
    document: Json = yaml.safe_load((TEMPLATE / f"{name}.yml").read_text())
    return document


def write(path: Path) -> None:
    """Write the merge template as JSON."""
    path.write_text(json.dumps(compose(), indent=1))


def table_resource(table: Json) -> Json:
    indexes: Json = table.get("indexes", {})
    keys = {"pk", "sk"} | {key for hash_, range_, _ in indexes.values() for key in (hash_, range_)}
    properties: Json = {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": key_schema("pk", "sk"),
        "AttributeDefinitions": [{"AttributeName": k, "AttributeType": "S"} for k in sorted(keys)],
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
        "DeletionProtectionEnabled": {"Fn::If": ["Production", True, False]},
    }
    if indexes:
        properties["GlobalSecondaryIndexes"] = [index_of(n, *i) for n, i in indexes.items()]
    if ttl := table.get("ttl"):
        properties["TimeToLiveSpecification"] = {"AttributeName": ttl, "Enabled": True}
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": KEPT_IN_PRODUCTION,
        "UpdateReplacePolicy": KEPT_IN_PRODUCTION,
        "Properties": properties,
    }


def index_of(name: str, hash_key: str, range_key: str, projection: str) -> Json:
    return {
        "IndexName": name,
        "KeySchema": key_schema(hash_key, range_key),
        "Projection": {"ProjectionType": projection},
    }


def key_schema(hash_key: str, range_key: str) -> list[Json]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]


def queue_resources(name: str, timeout: int) -> Resources:
    """A queue, its dead-letter queue, and an alarm on each."""
    return {
        f"{name}Queue": queue(
            VisibilityTimeout=timeout * VISIBILITY_TIMEOUTS,
            RedrivePolicy={
                "deadLetterTargetArn": arn(f"{name}DeadLetterQueue"),
                "maxReceiveCount": MAX_RECEIVES,
            },
        ),
        f"{name}DeadLetterQueue": queue(),
        f"{name}AgeAlarm": alarm(
            f"The oldest message of {name} has waited {OLDEST_MESSAGE_SECONDS // 60} minutes",
            metric=("AWS/SQS", "ApproximateAgeOfOldestMessage"),
            of={"QueueName": {"Fn::GetAtt": [f"{name}Queue", "QueueName"]}},
            statistic="Maximum",
            threshold=OLDEST_MESSAGE_SECONDS,
        ),
        **dead_letter_alarm(name),
    }


def queue(**properties: Any) -> Json:
    return {
        "Type": "AWS::SQS::Queue",
        "Properties": {
            "MessageRetentionPeriod": FOURTEEN_DAYS,
            "SqsManagedSseEnabled": True,
            **properties,
        },
    }


def dead_letter_alarm(name: str) -> Resources:
    return {
        f"{name}DeadLetterAlarm": alarm(
            f"{name} gave something up: look into its dead-letter queue",
            metric=("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
            of={"QueueName": {"Fn::GetAtt": [f"{name}DeadLetterQueue", "QueueName"]}},
            statistic="Maximum",
            threshold=1,
        )
    }


def alarm(
    description: str, *, metric: tuple[str, str], of: Json, statistic: str, threshold: int
) -> Json:
    namespace, metric_name = metric
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": description,
            "Namespace": namespace,
            "MetricName": metric_name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in of.items()],
            "Statistic": statistic,
            "Period": 300,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": threshold,
            "TreatMissingData": "notBreaching",
            **ALARM_ACTIONS,
        },
    }


def function_resources(name: str, function: Json, tables: Json) -> Resources:
    """What chalice's function of this logical id gets, and what stands beside it."""
    return {
        name: {"Properties": function_properties(name, function)},
        f"{name}Role": role(name, function, tables),
        **({} if function.get("refuses_by_error") else errors_alarm(name)),
        f"{name}LogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": KEPT_IN_PRODUCTION,
            "UpdateReplacePolicy": KEPT_IN_PRODUCTION,
            "Properties": {
                "LogGroupName": {"Fn::Sub": f"/${{AWS::StackName}}/{name}"},
                "RetentionInDays": {"Ref": "LogRetentionDays"},
            },
        },
    }


def errors_alarm(name: str) -> Resources:
    return {
        f"{name}ErrorsAlarm": alarm(
            f"{name} failed",
            metric=("AWS/Lambda", "Errors"),
            of={"FunctionName": {"Ref": name}},
            statistic="Sum",
            threshold=1,
        )
    }


def function_properties(name: str, function: Json) -> Json:
    properties: Json = {
        "Role": arn(f"{name}Role"),
        "Timeout": timeout_of(function),
        "MemorySize": function.get("memory", DEFAULT_MEMORY),
        "LoggingConfig": {"LogGroup": {"Ref": f"{name}LogGroup"}},
        "Tracing": {"Fn::If": ["Traced", "Active", "PassThrough"]},
        "Environment": {"Variables": environment(function)},
    }
    if queue_name := function.get("consumes"):
        properties["Events"] = {f"{name}SqsEventSource": queue_source(queue_name)}
    if function.get("schedule"):
        properties["Events"] = {f"{name}Event": schedule_source()}
        properties["EventInvokeConfig"] = failures_to_dead_letters()
    return properties


def timeout_of(function: Json) -> int:
    return int(function.get("timeout", DEFAULT_TIMEOUT))


def environment(function: Json) -> Json:
    """The settings, and the names of just those resources that the function may touch."""
    return {
        **SETTINGS,
        **{variable(f"{t}Table"): {"Ref": f"{t}Table"} for t in function.get("tables", {})},
        **{variable(f"{q}Queue"): {"Ref": f"{q}Queue"} for q in function.get("sends", ())},
        **{variable(secret): secret_reference(secret) for secret in function.get("secrets", ())},
    }


def variable(logical_id: str) -> str:
    """`DispatchCreateQueue` is `DISPATCH_CREATE_QUEUE` in the environment."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", logical_id).upper()


def secret_reference(secret: str) -> Json:
    reference: Json = only_if(CONDITIONAL_SECRETS.get(secret), secret_arn(secret))
    return reference


def secret_arn(secret: str) -> Json:
    # `Ref` is the ARN as well, but to the local cloud it is the name, which no policy can hold.
    return {"Fn::GetAtt": [secret, "Id"]}


def only_if(condition: str | None, value: Any) -> Any:
    return {"Fn::If": [condition, value, {"Ref": "AWS::NoValue"}]} if condition else value


def queue_source(queue_name: str) -> Json:
    # Chalice wrote Fn::Sub here; the same function is used again because a merge of two different
    # ones would leave both.
    return {
        "Properties": {
            "Queue": {"Fn::Sub": f"${{{queue_name}Queue.Arn}}"},
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": WORKER_CONCURRENCY},
        }
    }


def schedule_source() -> Json:
    return {"Properties": {"DeadLetterConfig": {"Arn": arn("SchedulesDeadLetterQueue")}}}


def failures_to_dead_letters() -> Json:
    # The next tick does the work again, so an old one is not tried for long.
    return {
        "MaximumRetryAttempts": 1,
        "MaximumEventAgeInSeconds": 300,
        "DestinationConfig": {
            "OnFailure": {"Type": "SQS", "Destination": arn("SchedulesDeadLetterQueue")}
        },
    }


def schedules_may_send(functions: Json) -> Json:
    """Lets the rules of the schedules, and nobody else, put undelivered events aside."""
    scheduled = [name for name, function in functions.items() if function.get("schedule")]
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": "SchedulesDeadLetterQueue"}],
            "PolicyDocument": policy_document(
                [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": arn("SchedulesDeadLetterQueue"),
                        "Condition": {
                            "ArnEquals": {"aws:SourceArn": [arn(f"{n}{n}Event") for n in scheduled]}
                        },
                    }
                ]
            ),
        },
    }


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
    if sends := function.get("sends"):
        yield send([f"{queue_name}Queue" for queue_name in sends])
    if function.get("schedule"):
        yield send(["SchedulesDeadLetterQueue"])
    for secret in function.get("secrets", ()):
        statement = allow("secretsmanager", ("GetSecretValue",), [secret_arn(secret)])
        yield only_if(CONDITIONAL_SECRETS.get(secret), statement)


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


def allow(service: str, actions: Iterable[str], resources: list[Json]) -> Json:
    return {
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in actions],
        "Resource": resources,
    }


def policy_document(of: list[Json]) -> Json:
    return {"Version": "2012-10-17", "Statement": of}


def arn(logical_id: str) -> Json:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def gateway_responses() -> Json:
    return {kind: gateway_response(*answer) for kind, answer in load("gateway").items()}


def gateway_response(status: int, code: str, title: str, detail: str) -> Json:
    problem = {
        "type": f"urn:tuan:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    headers = {"Content-Type": "'application/problem+json'", "X-Request-Id": "context.requestId"}
    if status == 401:
        headers["WWW-Authenticate"] = "'Bearer'"
    if status in (429, 503):
        headers["Retry-After"] = "'1'"
    return {
        "StatusCode": status,
        "ResponseParameters": {"Headers": headers},
        # The gateway picks this template whatever the caller accepts; the header says what it is.
        "ResponseTemplates": {"application/json": json.dumps(problem)},
    }
