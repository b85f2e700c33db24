"""The rig that holds functions to their roles catches one that does more."""

import boto3
import pytest

from chalicelib.platform import store
from chalicelib.settlement.run_store import RunRow
from tests.support.granted import NotGranted, running_as
from tests.support.world import World


def test_a_message_to_a_queue_that_is_not_granted_is_caught(world: World) -> None:
    queue = world.environment["SETTLEMENT_LIST_QUEUE"]
    with running_as("SettlementStart"):
        boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
    with running_as("OrderExpire"), pytest.raises(NotGranted, match="may not SendMessage"):
        boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
    assert world.messages("SETTLEMENT_LIST") == [{}]


def test_a_table_that_is_not_granted_is_caught(world: World) -> None:
    with running_as("SettlementWatch"):
        assert store.get(RunRow, "run_none", "run") is None
    with running_as("WebhookSweep"), pytest.raises(NotGranted, match="on SETTLEMENT_TABLE"):
        store.get(RunRow, "run_none", "run")
