"""What chalice's function gets from its entry in `functions.yml`, and what stands beside it."""

import re

from infra.template.alarms import errors_alarm
from infra.template.cloudformation import KEPT_IN_PRODUCTION, Json, Resources, arn
from infra.template.roles import role
from infra.template.secrets import secret_reference

DEFAULT_TIMEOUT = 60
DEFAULT_MEMORY = 512
# Batches of one queue at a time. A number by condition: the local cloud takes a parameter for text.
WORKER_CONCURRENCY: Json = {"Fn::If": ["OnOneMachine", 2, 20]}
SETTINGS: Json = {
    "STAGE": {"Ref": "Stage"},
    "TIMEZONE": {"Ref": "TimeZone"},
    "RESERVATION_MINUTES": {"Ref": "ReservationMinutes"},
    "LEADER_COLLECT_HOURS": {"Ref": "LeaderCollectHours"},
    "COMMISSION_HOLD_DAYS": {"Ref": "CommissionHoldDays"},
    "RETURN_WINDOW_DAYS": {"Ref": "ReturnWindowDays"},
    "AFTER_SALES_HOURS": {"Ref": "AfterSalesHours"},
    "UPLINE_LIMITS": {"Ref": "UplineLimits"},
    "SETTLE_OPEN_DAY": {"Ref": "SettleOpenDay"},
    "ALLOW_LOOPBACK_WEBHOOKS": {"Ref": "AllowLoopbackWebhooks"},
    "STRIPE_API_BASE": {"Ref": "StripeApiBase"},
    "PAYOUT_FOUR_EYES_ABOVE": {"Ref": "PayoutFourEyesAbove"},
    "PAYER_NAME": {"Ref": "PayerName"},
    "PAYER_IBAN": {"Ref": "PayerIban"},
    "PAYER_BIC": {"Ref": "PayerBic"},
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


def function_properties(name: str, function: Json) -> Json:
    properties: Json = {
        "Role": arn(f"{name}Role"),
        "Timeout": timeout_of(function),
        "MemorySize": function.get("memory", DEFAULT_MEMORY),
        "LoggingConfig": {"LogGroup": {"Ref": f"{name}LogGroup"}},
        "Tracing": {"Fn::If": ["Traced", "Active", "PassThrough"]},
        "Environment": {"Variables": environment(function)},
    }
    if handler := function.get("handler"):
        properties["Handler"] = handler
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
        **{variable(name): {"Ref": name} for name in dead_letter_queues(function)},
        **{variable(secret): secret_reference(secret) for secret in function.get("secrets", ())},
    }


def dead_letter_queues(function: Json) -> list[str]:
    """Where it puts aside what it gives up, and those that it may look at and move back."""
    queues = [function.get("consumes"), *function.get("redrives", ())]
    return [f"{queue_name}DeadLetterQueue" for queue_name in queues if queue_name]


def variable(logical_id: str) -> str:
    """`DispatchCreateQueue` is `DISPATCH_CREATE_QUEUE` in the environment."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", logical_id).upper()


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
