"""A queue with its dead-letter queue, and where the schedules' failures go."""

from typing import Any

from chalicelib.platform.queues import MAX_RECEIVES
from infra.template.alarms import OLDEST_MESSAGE_SECONDS, alarm, dead_letter_alarm
from infra.template.cloudformation import Json, Resources, arn, policy_document

FOURTEEN_DAYS = 14 * 24 * 3600
# A message is given again only after this many times its function's longest run (AWS's advice).
VISIBILITY_TIMEOUTS = 6


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
