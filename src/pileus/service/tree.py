"""Plain configuration data, as YAML gives it, and the ways to address a place in it.

Everything from the loader to the compiler passes the same plain dicts, lists and scalars around, so that a
template can be written out as it stands. `Path` names a place in such data from its root.
"""

from typing import Any, TypeAlias

#: One value as YAML or JSON gives it: dict[str, Json] | list[Json] | str | int | float | bool | None.
Json: TypeAlias = Any
Path: TypeAlias = tuple[str | int, ...]


class Missing:
    """The type of MISSING: no value at that address (None is a value: a YAML null)."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


def dotted(path: Path) -> str:
    """`functions.fn.events.0.http`, as messages name a place; the empty path is the root."""
    return ".".join(str(part) for part in path)


def child(value: Json, key: str | int) -> Json:
    """The member of a dict or the element of a list under a key that may be text; MISSING where there is none."""
    if isinstance(value, dict):
        return value.get(str(key), MISSING)
    if isinstance(value, list) and (isinstance(key, int) or (key.isascii() and key.isdigit())):
        index = int(key)
        return value[index] if index < len(value) else MISSING
    return MISSING


def get(value: Json, *keys: str | int) -> Json:
    """The value under the keys, or None where the way ends early: for optional settings."""
    for key in keys:
        value = child(value, key)
        if value is MISSING:
            return None
    return value


def copy(value: Json) -> Json:
    """A deep copy of plain data (several times quicker than copy.deepcopy, which allows for anything)."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy(item) for item in value]
    return value


def count(value: Json) -> int:
    """How many values there are in plain data, itself included."""
    if isinstance(value, dict):
        return 1 + sum([count(item) for item in value.values()])
    if isinstance(value, list):
        return 1 + sum([count(item) for item in value])
    return 1
