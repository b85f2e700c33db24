"""Lets unpaid orders expire, and puts back the stock of cancelled ones that a crash left behind;
at night, holds the stock against the orders."""

from typing import Any

from chalice.app import Blueprint, Cron, Rate

from chalicelib.kernel import clock
from chalicelib.ordering import checking, ending
from chalicelib.platform.worker import scheduled

workers = Blueprint(__name__)


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="order_expire")
@scheduled
def order_expire(event: Any) -> None:
    ending.sweep(clock.now())


@workers.schedule(Cron("30", "3", "*", "*", "?", "*"), name="stock_check")
@scheduled
def stock_check(event: Any) -> None:
    checking.check(clock.now())
