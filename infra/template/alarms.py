"""What wakes a person: dead letters, old messages, errors."""

from infra.template.cloudformation import Json, Resources

OLDEST_MESSAGE_SECONDS = 900
ALARM_ACTIONS: Json = {
    "AlarmActions": [{"Ref": "AlarmTopic"}],
    "OKActions": [{"Ref": "AlarmTopic"}],
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
