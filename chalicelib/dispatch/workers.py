"""Lets paid orders go on: their dispatches are made, or their money goes back."""

from chalice.app import Blueprint

from chalicelib.dispatch import going_on
from chalicelib.platform.worker import Message, each_message

workers = Blueprint(__name__)


@workers.on_sqs_message(queue="dispatch-create", batch_size=10, name="dispatch_create")
@each_message
def dispatch_create(message: Message) -> None:
    going_on.go_on(message["subject"])
