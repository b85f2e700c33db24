"""A provider of payouts as one meets it: most are sent, and of some it says nothing."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from chalicelib.kernel.errors import Invalid
from chalicelib.payments.providers import OutcomeUnknown, Refused
from chalicelib.payments.providers.stripe_api import NOT_TAKEN
from chalicelib.payouts import transfers
from chalicelib.payouts.rules import Payout
from chalicelib.payouts.transfers import NotAsked, Transfer

TURNED_AWAY, REFUSED, SILENT = 0.1, 0.1, 0.2


class Transfers:
    """What has been sent, by payout."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._sent: dict[str, str] = {}

    def check(self, currency: str) -> None:
        """Raises Invalid."""
        if currency in NOT_TAKEN:
            raise Invalid.field("currency", "is none that it takes")

    def send(self, payout: Payout) -> str:
        """Whatever it answers, it may have sent it; twice it is never asked to."""
        if self._chance.random() < TURNED_AWAY:
            raise NotAsked
        if payout.id in self._sent:
            raise AssertionError(f"{payout.id} is sent a second time")
        if self._chance.random() < REFUSED:
            raise Refused("no_account")
        if self._chance.random() < SILENT / 2:
            raise OutcomeUnknown
        self._sent[payout.id] = f"tr_{payout.id}"
        if self._chance.random() < SILENT / 2:
            raise OutcomeUnknown
        return self._sent[payout.id]

    def find(self, payout: Payout) -> Transfer | None:
        if self._chance.random() < SILENT:
            raise OutcomeUnknown
        sent = self._sent.get(payout.id)
        return Transfer(sent, is_reversed=False) if sent else None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with (
            mock.patch.object(transfers, "check", self.check),
            mock.patch.object(transfers, "send", self.send),
            mock.patch.object(transfers, "find", self.find),
        ):
            yield
