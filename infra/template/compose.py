"""Puts the parts together into the merge template for `chalice package`."""

import json
from pathlib import Path

import yaml

from infra.template.alarms import dead_letter_alarm
from infra.template.cloudformation import Json, Resources
from infra.template.functions import function_resources, timeout_of
from infra.template.gateway import gateway_responses
from infra.template.queues import queue_resources, schedules_may_send
from infra.template.tables import table_resource

TEMPLATE = Path(__file__).parent


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
    resources["RestAPI"]["Properties"]["GatewayResponses"] = gateway_responses(load("gateway"))
    return template


def load(name: str) -> Json:
    document: Json = yaml.safe_load((TEMPLATE / f"{name}.yml").read_text())
    return document


def write(path: Path) -> None:
    """Write the merge template as JSON."""
    path.write_text(json.dumps(compose(), indent=1))
