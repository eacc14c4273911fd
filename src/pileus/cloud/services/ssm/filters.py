"""ParameterFilters of DescribeParameters and GetParametersByPath."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .errors import InvalidFilterKey, InvalidFilterOption, InvalidFilterValue
from .parameter import Parameter

Test = Callable[[Parameter, Mapping[str, str], Mapping[str, int]], bool]

_BY_PATH = frozenset({"Type", "KeyId", "Label"})


def tests(filters: Iterable[Mapping[str, Any]], *, by_path: bool = False) -> list[Test]:
    """What a parameter, its tags and its labels must all pass. Raises InvalidFilterKey, -Option, -Value."""
    found: list[Test] = []
    for item in filters:
        key, option, values = item["Key"], item.get("Option"), item.get("Values") or []
        if by_path and key not in _BY_PATH:
            raise InvalidFilterKey(
                f"The following filter key is not valid: {key}. Valid filter keys include: [Type, KeyId]."
            )
        if not values and not key.startswith("tag:"):
            raise InvalidFilterValue("The following filter values are missing : null for filter key " + key)
        found.append(_test(key, option or ("OneLevel" if key == "Path" else "Equals"), values))
    return found


def _test(key: str, option: str, values: list[str]) -> Test:
    if key == "Path":
        if option not in ("OneLevel", "Recursive"):
            raise _bad_option(key, option, "[Recursive, OneLevel]")
        deep = option == "Recursive"
        return lambda p, tags, labels: any(is_below(p.name, value, deep) for value in values)
    if key == "Name":
        if option not in ("Equals", "BeginsWith", "Contains"):
            raise _bad_option(key, option, "[BeginsWith, Equals]")
        return lambda p, tags, labels: any(_matches(p.name, option, value) for value in values)
    if option not in ("Equals", "BeginsWith") or (option == "BeginsWith" and key in ("Type", "Tier")):
        raise _bad_option(key, option, "[Equals]")
    if key.startswith("tag:"):
        name = key[4:]
        return lambda p, tags, labels: (
            name in tags and (not values or any(_matches(tags[name], option, value) for value in values))
        )
    if key == "Label":
        return lambda p, tags, labels: any(labels.get(value) == p.version for value in values)
    if key == "Type":
        return lambda p, tags, labels: p.type in values
    return lambda p, tags, labels: any(_matches(p.detail.get(key) or "", option, value) for value in values)


def _bad_option(key: str, option: str, valid: str) -> InvalidFilterOption:
    return InvalidFilterOption(
        f"The following filter option is not valid: {option}. Valid options include: {valid}. (filter key {key})"
    )


def _matches(text: str, option: str, value: str) -> bool:
    if option == "BeginsWith":
        return text.lstrip("/").startswith(value.lstrip("/"))
    if option == "Contains":
        return value in text
    return text == value


def is_below(name: str, path: str, deep: bool) -> bool:
    prefix = path if path.endswith("/") else f"{path}/"
    return name.startswith(prefix) and (deep or "/" not in name[len(prefix) :])
