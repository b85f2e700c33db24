"""Does what is due to orders and to campaigns, asks the orders of a campaign to go on, and at night
holds the stock against the orders."""

from typing import Any

from chalice.app import Blueprint, Cron, Rate

from chalicelib.kernel import clock
from chalicelib.ordering import campaigns, checking, ending
from chalicelib.platform.worker import Message, each_message, scheduled

workers = Blueprint(__name__)


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="order_expire")
@scheduled
def order_expire(event: Any) -> None:
    ending.sweep(clock.now())


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="campaign_close")
@scheduled
def campaign_close(event: Any) -> None:
    campaigns.sweep(clock.now())


@workers.on_sqs_message(queue="campaign-orders", batch_size=10, name="campaign_orders")
@each_message
def campaign_orders(message: Message) -> None:
    page = message.get("data") or {}
    campaigns.ask_orders(message["subject"], page.get("shard"), page.get("after"))


@workers.schedule(Cron("30", "3", "*", "*", "?", "*"), name="stock_check")
@scheduled
def stock_check(event: Any) -> None:
    checking.check(clock.now())
