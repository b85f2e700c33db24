"""DynamoDB's expressions read from their text, each text once.

Source: Amazon DynamoDB Developer Guide, "Condition and filter expressions, operators, and
functions" and "Using update expressions".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Generic, TypeVar

from tests.support.memory.errors import Unfit
from tests.support.memory.expressions import (
    ORDERED,
    Action,
    BeginsWith,
    Between,
    Both,
    Compared,
    Condition,
    Contains,
    Either,
    Exists,
    IfNotExists,
    In,
    ListAppend,
    Literal,
    Not,
    OfType,
    Operand,
    Path,
    Size,
    Sum,
)

T = TypeVar("T")
TOKEN = re.compile(r"\s*(<=|>=|<>|[=<>(),.\[\]+-]|[#:]?\w+)")
COMPARISONS = ("=", "<>", *ORDERED)
VERBS = ("SET", "REMOVE", "ADD", "DELETE")
CONDITIONS: dict[str, Callable[..., Condition]] = {
    "attribute_exists": lambda path: Exists(path, True),
    "attribute_not_exists": lambda path: Exists(path, False),
    "attribute_type": OfType,
    "begins_with": BeginsWith,
    "contains": Contains,
}
OPERANDS: dict[str, Callable[..., Operand]] = {
    "size": Size,
    "if_not_exists": IfNotExists,
    "list_append": ListAppend,
}


@dataclass(frozen=True)
class Parsed(Generic[T]):
    """What an expression says, and the words and placeholders it is made of."""

    content: T
    words: frozenset[str]

    @cached_property
    def used(self) -> frozenset[str]:
        """The placeholders."""
        return frozenset(word for word in self.words if word[0] in "#:")


@lru_cache(maxsize=10_000)
def condition(text: str) -> Parsed[Condition]:
    """A condition, filter or key condition."""
    return _parsed(text, lambda reader: reader.either())


@lru_cache(maxsize=10_000)
def update(text: str) -> Parsed[list[Action]]:
    return _parsed(text, lambda reader: reader.actions())


@lru_cache(maxsize=10_000)
def projection(text: str) -> Parsed[list[Path]]:
    return _parsed(text, lambda reader: reader.listed(reader.path))


def _parsed(text: str, read: Callable[["_Reader"], T]) -> Parsed[T]:
    reader = _Reader(text)
    content = read(reader)
    if reader.next is not None:
        raise reader.unfit()
    return Parsed(content, frozenset(reader.tokens))


class _Reader:
    """Goes through the tokens of an expression from the left."""

    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.at = text, _tokens(text), 0

    @property
    def next(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def unfit(self) -> Unfit:
        return Unfit(f"Invalid expression: Syntax error; token: {self.next}, in: {self.text}")

    def take(self, *expected: str) -> str:
        token = self.next
        if token is None or (expected and token not in expected):
            raise self.unfit()
        self.at += 1
        return token

    def took(self, word: str) -> bool:
        """Whether the next token is that word, which is behind us then."""
        found = self.next is not None and self.next.upper() == word
        self.at += found
        return found

    def listed(self, read: Callable[[], T]) -> list[T]:
        found = [read()]
        while self.took(","):
            found.append(read())
        return found

    def either(self) -> Condition:
        found = self.both()
        while self.took("OR"):
            found = Either(found, self.both())
        return found

    def both(self) -> Condition:
        found = self.one()
        while self.took("AND"):
            found = Both(found, self.one())
        return found

    def one(self) -> Condition:
        if self.took("NOT"):
            return Not(self.one())
        if self.took("("):
            found = self.either()
            self.take(")")
            return found
        if self.next in CONDITIONS:
            return CONDITIONS[self.take()](*self.arguments())
        return self.comparison(self.operand())

    def comparison(self, left: Operand) -> Condition:
        if self.took("BETWEEN"):
            lower = self.operand()
            if not self.took("AND"):
                raise self.unfit()
            return Between(left, lower, self.operand())
        if self.took("IN"):
            return In(left, tuple(self.arguments()))
        return Compared(left, self.take(*COMPARISONS), self.operand())

    def operand(self) -> Operand:
        if self.next in OPERANDS:
            return OPERANDS[self.take()](*self.arguments())
        if self.next and self.next.startswith(":"):
            return Literal(self.take())
        return self.path()

    def arguments(self) -> list[Operand]:
        self.take("(")
        found = self.listed(self.operand)
        self.take(")")
        return found

    def path(self) -> Path:
        parts: list[str | int] = [self.word()]
        while self.next in (".", "["):
            if self.took("."):
                parts.append(self.word())
            else:
                self.take("[")
                parts.append(int(self.take()))
                self.take("]")
        return Path(tuple(parts))

    def word(self) -> str:
        word = self.take()
        if not re.fullmatch(r"#?\w+", word):
            self.at -= 1
            raise self.unfit()
        return word

    def actions(self) -> list[Action]:
        found: list[Action] = []
        while self.next is not None:
            verb = self.take().upper()
            if verb not in VERBS:
                self.at -= 1
                raise self.unfit()
            found += self.listed(lambda verb=verb: self.action(verb))  # type: ignore[misc]
        return found

    def action(self, verb: str) -> Action:
        path = self.path()
        if verb == "REMOVE":
            return Action(verb, path, None)
        if verb != "SET":
            return Action(verb, path, self.operand())
        self.take("=")
        return Action(verb, path, self.sum())

    def sum(self) -> Operand:
        left = self.operand()
        if self.next not in ("+", "-"):
            return left
        sign = 1 if self.take() == "+" else -1
        return Sum(left, sign, self.operand())


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        found = TOKEN.match(text, at)
        if not found:
            raise Unfit(f"Invalid expression: Syntax error at {at} in: {text}")
        tokens.append(found[1])
        at = found.end()
    return tokens
