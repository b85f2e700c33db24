"""What DynamoDB's expressions are made of, and what each part comes to for an item.

Source: Amazon DynamoDB Developer Guide, "Using expressions in DynamoDB".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.support.memory.errors import Unfit
from tests.support.memory.values import Item, Value, number, total

ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
ABSENT = "The provided expression refers to an attribute that does not exist in the item"
COMPARABLE = ("S", "N", "B")
SETS = {"SS": "S", "NS": "N", "BS": "B"}


@dataclass(frozen=True)
class Given:
    """What the placeholders of a request stand for."""

    names: Mapping[str, str]
    values: Mapping[str, Value]

    def name(self, token: str) -> str:
        if not token.startswith("#"):
            return token
        try:
            return self.names[token]
        except KeyError:
            raise Unfit(f"An expression attribute name used is not defined: {token}") from None


class Operand(Protocol):
    def of(self, item: Item, given: Given) -> Value | None: ...


class Condition(Protocol):
    def holds(self, item: Item, given: Given) -> bool: ...


@dataclass(frozen=True)
class Path:
    """An attribute, or what lies in it: names and places in lists."""

    parts: tuple[str | int, ...]

    def of(self, item: Item, given: Given) -> Value | None:
        found = item.get(given.name(str(self.parts[0])))
        for part in self.parts[1:]:
            found = _inside(found, part, given)
        return found

    def named(self, given: Given) -> tuple[str | int, ...]:
        return tuple(given.name(each) if isinstance(each, str) else each for each in self.parts)


@dataclass(frozen=True)
class Literal:
    token: str

    def of(self, item: Item, given: Given) -> Value:
        try:
            return given.values[self.token]
        except KeyError:
            raise Unfit(
                f"An expression attribute value used is not defined: {self.token}"
            ) from None


@dataclass(frozen=True)
class Size:
    path: Operand

    def of(self, item: Item, given: Given) -> Value | None:
        found = self.path.of(item, given)
        if found is None:
            return None
        ((kind, content),) = found.items()
        if kind in ("N", "BOOL", "NULL"):
            raise Unfit(f"Incorrect operand type for operator or function; function: size, {kind}")
        return {"N": str(len(content))}


@dataclass(frozen=True)
class IfNotExists:
    path: Operand
    otherwise: Operand

    def of(self, item: Item, given: Given) -> Value | None:
        found = self.path.of(item, given)
        return self.otherwise.of(item, given) if found is None else found


@dataclass(frozen=True)
class ListAppend:
    first: Operand
    second: Operand

    def of(self, item: Item, given: Given) -> Value:
        lists = [typed(each.of(item, given), "L") for each in (self.first, self.second)]
        return {"L": lists[0] + lists[1]}


@dataclass(frozen=True)
class Sum:
    left: Operand
    sign: int
    right: Operand

    def of(self, item: Item, given: Given) -> Value:
        left, right = (typed(each.of(item, given), "N") for each in (self.left, self.right))
        return {"N": total(left, right, self.sign)}


@dataclass(frozen=True)
class Compared:
    left: Operand
    sign: str
    right: Operand

    def holds(self, item: Item, given: Given) -> bool:
        left, right = self.left.of(item, given), self.right.of(item, given)
        if self.sign == "=":
            return left is not None and left == right
        if self.sign == "<>":
            return left != right
        return ordered(self.sign, left, right)


@dataclass(frozen=True)
class Between:
    operand: Operand
    lower: Operand
    upper: Operand

    def holds(self, item: Item, given: Given) -> bool:
        found = self.operand.of(item, given)
        lower, upper = self.lower.of(item, given), self.upper.of(item, given)
        if is_literal(self.lower, self.upper) and ordered(">", lower, upper):
            raise reversed_bounds(lower, upper)
        return ordered(">=", found, lower) and ordered("<=", found, upper)


@dataclass(frozen=True)
class In:
    operand: Operand
    among: tuple[Operand, ...]

    def holds(self, item: Item, given: Given) -> bool:
        found = self.operand.of(item, given)
        return found is not None and any(found == each.of(item, given) for each in self.among)


@dataclass(frozen=True)
class Exists:
    path: Operand
    wanted: bool

    def holds(self, item: Item, given: Given) -> bool:
        return (self.path.of(item, given) is not None) is self.wanted


@dataclass(frozen=True)
class BeginsWith:
    operand: Operand
    prefix: Operand

    def holds(self, item: Item, given: Given) -> bool:
        found, prefix = self.operand.of(item, given), self.prefix.of(item, given)
        if found is None or prefix is None:
            return False
        ((kind, content),), ((wanted, start),) = found.items(), prefix.items()
        if wanted not in ("S", "B"):
            raise Unfit("Incorrect operand type for operator or function; function: begins_with")
        return kind == wanted and bool(content.startswith(start))


@dataclass(frozen=True)
class Contains:
    operand: Operand
    member: Operand

    def holds(self, item: Item, given: Given) -> bool:
        found, member = self.operand.of(item, given), self.member.of(item, given)
        if found is None or member is None:
            return False
        ((kind, content),), ((of, wanted),) = found.items(), member.items()
        if kind == "L":
            return member in content
        return SETS.get(kind, kind) == of and of in COMPARABLE and wanted in content


@dataclass(frozen=True)
class OfType:
    operand: Operand
    kind: Operand

    def holds(self, item: Item, given: Given) -> bool:
        found = self.operand.of(item, given)
        return found is not None and next(iter(found)) == typed(self.kind.of(item, given), "S")


@dataclass(frozen=True)
class Not:
    condition: Condition

    def holds(self, item: Item, given: Given) -> bool:
        return not self.condition.holds(item, given)


@dataclass(frozen=True)
class Both:
    left: Condition
    right: Condition

    def holds(self, item: Item, given: Given) -> bool:
        return self.left.holds(item, given) and self.right.holds(item, given)


@dataclass(frozen=True)
class Either:
    left: Condition
    right: Condition

    def holds(self, item: Item, given: Given) -> bool:
        return self.left.holds(item, given) or self.right.holds(item, given)


@dataclass(frozen=True)
class Action:
    """One change of an update: `verb` is SET, REMOVE, ADD or DELETE."""

    verb: str
    path: Path
    operand: Operand | None


def is_literal(*operands: Operand) -> bool:
    return all(isinstance(each, Literal) for each in operands)


def reversed_bounds(lower: Value | None, upper: Value | None) -> Unfit:
    return Unfit(
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
        f"lower bound operand: {lower}, upper bound operand: {upper}"
    )


def ordered(sign: str, left: Value | None, right: Value | None) -> bool:
    if left is None or right is None:
        return False
    ((kind, one),), ((other_kind, other),) = left.items(), right.items()
    if other_kind not in COMPARABLE:
        raise Unfit(f"Incorrect operand type for operator or function; operator: {sign}")
    if kind != other_kind:
        return False
    if kind == "N":
        one, other = number(one), number(other)
    return ORDERED[sign](one, other)


def typed(value: Value | None, kind: str) -> Any:
    """What is in a value that must be of that kind."""
    if value is None:
        raise Unfit(ABSENT)
    if kind not in value:
        raise Unfit("An operand in the update expression has an incorrect data type")
    return value[kind]


def _inside(found: Value | None, part: str | int, given: Given) -> Value | None:
    if found is None:
        return None
    if isinstance(part, str):
        inner: Value | None = found.get("M", {}).get(given.name(part))
        return inner
    members = found.get("L", ())
    return members[part] if part < len(members) else None
