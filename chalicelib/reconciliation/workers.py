"""Goes on with reconciliations."""

from chalice.app import Blueprint

from chalicelib.platform.worker import Message, each_message
from chalicelib.reconciliation import going_on

workers = Blueprint(__name__)


@workers.on_sqs_message(queue="reconcile", batch_size=1, name="reconcile")
@each_message
def reconcile(message: Message) -> None:
    going_on.go_on(message["subject"])
