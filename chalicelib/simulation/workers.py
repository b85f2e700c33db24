"""Goes on with simulations that are too long for a request."""

from chalice.app import Blueprint

from chalicelib.platform.worker import Message, each_message
from chalicelib.simulation import service

workers = Blueprint(__name__)


@workers.on_sqs_message(queue="plan-simulate", batch_size=1, name="plan_simulate")
@each_message
def plan_simulate(message: Message) -> None:
    service.go_on(message["subject"])
