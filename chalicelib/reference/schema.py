"""Answers about the API itself."""

from typing import Literal

from chalicelib.platform.schema import View


class HealthView(View):
    status: Literal["ok"]
