"""A payment provider that answers as a test tells it to."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from chalicelib.payments import refunds
from chalicelib.payments.providers import RefundAnswer, RefundOutcome, RefundRequest


class ToldProvider:
    """Gives each of its answers once, the last one for ever; an exception is raised.

    `asked` are its calls. An answer is of the attempt that is asked for.
    """

    name = "local"

    def __init__(self, *answers: RefundOutcome | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[RefundRequest] = []

    def refund(self, asked: RefundRequest) -> RefundAnswer:
        self.asked.append(asked)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return RefundAnswer(answer, asked.attempt)


@contextmanager
def provider_that_answers(*answers: RefundOutcome | Exception) -> Iterator[ToldProvider]:
    told = ToldProvider(*answers)
    with mock.patch.object(refunds, "provider", return_value=told):
        yield told
