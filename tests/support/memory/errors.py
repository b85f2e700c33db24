"""What AWS refuses."""

from typing import Any


class Refused(Exception):
    """An error as a service answers it: its code, its sentence, and what else comes with it."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.more = code, message, more


class Unfit(Refused):
    """DynamoDB's ValidationException."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)
