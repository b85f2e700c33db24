"""What the packaged template declares."""

import json
import re
from typing import Any

import pytest
from cfnlint.api import lint_file

from chalicelib.platform import problems
from infra.package import Package
from tests.support.events import EVENTS, sample
from tests.support.roles import PAGES
from tests.template.conftest import of_type

Json = dict[str, Any]


def test_every_resource_has_a_type(resources: Json) -> None:
    # A wrong name in the merge template would add a resource of no type, without a word.
    assert [name for name, resource in resources.items() if "Type" not in resource] == []


def test_cfn_lint_finds_nothing(packaged: Package) -> None:
    assert [str(match) for match in lint_file(packaged.template)] == []


def test_every_queue_source_reports_partial_failures(functions: Json) -> None:
    sources = queue_sources(functions)
    assert len(sources) == 13
    for source in sources.values():
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_queue_sources_name_queues_of_this_template(functions: Json, resources: Json) -> None:
    queues = of_type(resources, "AWS::SQS::Queue")
    for source in queue_sources(functions).values():
        assert queue_of(source) in queues


def test_a_message_comes_again_only_long_after_its_function_has_ended(
    functions: Json, resources: Json
) -> None:
    queues = of_type(resources, "AWS::SQS::Queue")
    for name, source in queue_sources(functions).items():
        queue = queues[queue_of(source)]
        assert queue["VisibilityTimeout"] >= 6 * functions[name]["Timeout"]


def test_every_queue_has_a_dead_letter_queue_that_is_watched(resources: Json) -> None:
    queues = of_type(resources, "AWS::SQS::Queue")
    watched = watched_queues(resources, "ApproximateNumberOfMessagesVisible")
    aged = watched_queues(resources, "ApproximateAgeOfOldestMessage")
    for name, queue in queues.items():
        if name.endswith("DeadLetterQueue"):
            assert name in watched
        else:
            target, _ = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"]
            assert target in queues
            assert name in aged


def test_every_schedule_puts_aside_what_fails(functions: Json) -> None:
    schedules = {
        name: function
        for name, function in functions.items()
        if any(event["Type"] == "Schedule" for event in function.get("Events", {}).values())
    }
    assert len(schedules) == 16
    put_aside = {"Fn::GetAtt": ["SchedulesDeadLetterQueue", "Arn"]}
    for function in schedules.values():
        (event,) = function["Events"].values()
        assert event["Properties"]["DeadLetterConfig"]["Arn"] == put_aside
        on_failure = function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
        assert on_failure["Destination"] == put_aside


def test_every_function_is_watched_for_errors(functions: Json, resources: Json) -> None:
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    watched = {
        alarm["Dimensions"][0]["Value"]["Ref"]
        for alarm in alarms
        if alarm["MetricName"] == "Errors"
    }
    # The authorizer refuses by an error; what it really fails at is a 5xx of the API.
    assert watched == set(functions) - {"Authorizer"}
    assert "5XXError" in {alarm["MetricName"] for alarm in alarms}


def test_a_missed_settlement_is_noticed(resources: Json) -> None:
    alarm = resources["MissedSettlementAlarm"]["Properties"]
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 26 * 3600
    assert alarm["TreatMissingData"] == "breaching"


def test_a_finding_and_a_missed_audit_are_noticed(resources: Json) -> None:
    found = resources["AuditFindingsAlarm"]["Properties"]
    assert (found["MetricName"], found["Threshold"]) == ("AuditFindings", 1)
    missed = resources["MissedAuditAlarm"]["Properties"]
    assert missed["Period"] * missed["EvaluationPeriods"] == 30 * 3600
    assert missed["TreatMissingData"] == "breaching"


def test_every_alarm_is_told_to_somebody(resources: Json) -> None:
    for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]


def test_every_log_group_forgets(functions: Json, resources: Json) -> None:
    groups = of_type(resources, "AWS::Logs::LogGroup")
    for function in functions.values():
        group = groups[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["RetentionInDays"]


def test_no_setting_is_written_by_hand_where_the_template_knows_it(functions: Json) -> None:
    for function in functions.values():
        for name, value in function["Environment"]["Variables"].items():
            if name.endswith(("_TABLE", "_QUEUE")):
                assert list(value) == ["Ref"]


def test_the_authorizer_is_asked_each_time(resources: Json) -> None:
    definition = resources["RestAPI"]["Properties"]["DefinitionBody"]
    authorizers = definition["securityDefinitions"].values()
    assert [
        a["x-amazon-apigateway-authorizer"]["authorizerResultTtlInSeconds"] for a in authorizers
    ] == [0]


OPEN = {"/health", "/openapi.json", "/docs", "/v1/payment-events/{provider}"}


def test_only_these_routes_ask_for_no_credentials(resources: Json) -> None:
    paths = resources["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    unguarded = {
        path
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "security" not in operation and method != "options"
    }
    assert unguarded <= OPEN | {path for _, path in PAGES}


def test_the_gateway_answers_in_problem_documents_like_the_application(resources: Json) -> None:
    responses = resources["RestAPI"]["Properties"]["GatewayResponses"]
    for response in responses.values():
        headers = response["ResponseParameters"]["Headers"]
        assert headers["Content-Type"] == f"'{problems.CONTENT_TYPE}'"
        assert headers["X-Request-Id"] == "context.requestId"
        document = problem_of(response)
        assert set(document) == {"type", "title", "status", "detail", "code"}
        assert document["status"] == response["StatusCode"]
        assert document["title"] == problems.TITLES.get(document["status"], document["title"])


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("UNAUTHORIZED", 401, "unauthenticated"),
        ("ACCESS_DENIED", 403, "forbidden"),
        ("MISSING_AUTHENTICATION_TOKEN", 404, "not_found"),
        ("REQUEST_TOO_LARGE", 413, "body_too_large"),
        ("DEFAULT_5XX", 500, "internal_error"),
    ],
)
def test_gateway_codes(resources: Json, kind: str, status: int, code: str) -> None:
    document = problem_of(resources["RestAPI"]["Properties"]["GatewayResponses"][kind])
    assert (document["status"], document["code"]) == (status, code)


def test_every_function_has_a_sample_event(functions: Json) -> None:
    handlers = {function["Handler"].rpartition(".")[2] for function in functions.values()}
    assert {path.stem for path in EVENTS.glob("*.json")} == handlers


def test_sample_events_come_from_what_triggers_the_function(functions: Json) -> None:
    for function in functions.values():
        event = sample(function["Handler"].rpartition(".")[2])
        kinds = {each["Type"] for each in function.get("Events", {}).values()}
        assert ("Records" in event) == (kinds == {"SQS"})
        assert (event.get("source") == "aws.events") == (kinds == {"Schedule"})


def queue_sources(functions: Json) -> Json:
    """The properties of each SQS source, by the function's logical id."""
    return {
        name: event["Properties"]
        for name, function in functions.items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
    }


def queue_of(source: Json) -> str:
    match = re.fullmatch(r"\$\{(\w+)\.Arn\}", source["Queue"]["Fn::Sub"])
    assert match, source
    return match[1]


def watched_queues(resources: Json, metric: str) -> set[str]:
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    return {
        alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for alarm in alarms
        if alarm["MetricName"] == metric
    }


def problem_of(response: Json) -> Json:
    document: Json = json.loads(response["ResponseTemplates"]["application/json"])
    return document
