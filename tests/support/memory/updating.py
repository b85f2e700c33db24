"""What an update makes of an item."""

from collections.abc import Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any

from tests.support.memory.errors import Unfit
from tests.support.memory.expressions import ABSENT, SETS, Action, Given, typed
from tests.support.memory.values import Item, Value, total

Named = tuple[str | int, ...]


def updated(item: Item, actions: Sequence[Action], given: Given, keys: Sequence[str]) -> Item:
    """The item once all actions are done, each upon what it was before them."""
    paths = [action.path.named(given) for action in actions]
    _check_paths(paths, keys)
    within = {str(path[0]) for path in paths if len(path) > 1}
    changed = {name: deepcopy(each) if name in within else each for name, each in item.items()}
    wanted = [
        (action.verb, path, action.operand.of(item, given) if action.operand else None)
        for action, path in zip(actions, paths, strict=True)
    ]
    # Whatever is taken out of a list moves those behind it.
    for verb, path, value in sorted(wanted, key=lambda each: _backwards(each[0], each[1])):
        _CHANGES[verb](changed, path, value)
    return changed


def _check_paths(paths: Sequence[Named], keys: Sequence[str]) -> None:
    for path in paths:
        if path[0] in keys:
            raise Unfit(
                "One or more parameter values were invalid: Cannot update attribute "
                f"{path[0]}. This attribute is part of the key"
            )
    if len({path[0] for path in paths}) == len(paths):
        return
    for n, path in enumerate(paths):
        for other in paths[n + 1 :]:
            shorter = min(len(path), len(other))
            if path[:shorter] == other[:shorter]:
                raise Unfit(
                    "Invalid UpdateExpression: Two document paths overlap with each other; must "
                    f"remove or rewrite one of these paths; path one: {path}, path two: {other}"
                )


def _backwards(verb: str, path: Named) -> tuple[bool, int]:
    place = path[-1]
    return verb == "REMOVE", -place if isinstance(place, int) else 0


def _set(item: Item, path: Named, value: Value | None) -> None:
    if value is None:
        raise Unfit(ABSENT)
    if len(path) == 1:
        item[str(path[0])] = value
        return
    holder = _holder(item, path)
    place = path[-1]
    if isinstance(place, int) and place >= len(holder):
        holder.append(value)
    else:
        holder[place] = value


def _remove(item: Item, path: Named, _: Value | None) -> None:
    if len(path) == 1:
        item.pop(str(path[0]), None)
        return
    holder = _holder(item, path)
    place = path[-1]
    if isinstance(place, int):
        del holder[place : place + 1]
    else:
        holder.pop(place, None)


def _add(item: Item, path: Named, value: Value | None) -> None:
    ((kind, added),) = (value or {}).items()
    name = str(path[0])
    if len(path) > 1:
        raise NotImplementedError("ADD to what lies in an attribute")
    if kind not in ("N", *SETS):
        raise Unfit("Incorrect operand type for operator or function; operator: ADD")
    if name not in item:
        item[name] = {kind: added}
    elif kind == "N":
        item[name] = {"N": total(typed(item[name], "N"), added)}
    else:
        item[name] = {kind: sorted({*typed(item[name], kind), *added})}


def _delete(item: Item, path: Named, value: Value | None) -> None:
    ((kind, taken),) = (value or {}).items()
    name = str(path[0])
    if len(path) > 1:
        raise NotImplementedError("DELETE from what lies in an attribute")
    if kind not in SETS:
        raise Unfit("Incorrect operand type for operator or function; operator: DELETE")
    if name in item:
        left = sorted({*typed(item[name], kind)} - {*taken})
        if left:
            item[name] = {kind: left}
        else:
            del item[name]


def _holder(item: Item, path: Named) -> Any:
    """The map or list that holds the last part of a path."""
    found: Any = {"M": item}
    for part, following in pairwise(path):
        inside = found["L" if isinstance(part, int) else "M"]
        try:
            found = inside[part]
            _ = found["L" if isinstance(following, int) else "M"]
        except (KeyError, IndexError, TypeError):
            raise Unfit("The document path provided in the update expression is invalid") from None
    return found["L" if isinstance(path[-1], int) else "M"]


_CHANGES = {"SET": _set, "REMOVE": _remove, "ADD": _add, "DELETE": _delete}
