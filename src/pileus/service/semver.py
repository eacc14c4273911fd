"""Just enough of npm's version ranges to check `frameworkVersion` against the format that is read here."""

import re

_PART = re.compile(
    r"(<=|>=|<|>|=|~|\^)?\s*v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:[-+][\w.-]+)?\Z"
)

Version = tuple[int, int, int]


def satisfies(version: Version, wanted: str) -> bool | None:
    """Whether a version lies in an npm range such as `^3.2.0`, `>=3 <4`, `2 || 3.x`; None: not a range."""
    results = [_all(version, group.strip()) for group in wanted.split("||")]
    return None if None in results else any(results)


def _all(version: Version, group: str) -> bool | None:
    if " - " in group:
        low, _, high = group.partition(" - ")
        group = f">={low.strip()} <={high.strip()}"
    parts = re.sub(r"(<=|>=|<|>|=|~|\^)\s+", r"\1", group).split() or ["*"]
    results = [_one(version, part) for part in parts]
    return None if None in results else all(results)


def _one(version: Version, part: str) -> bool | None:
    match = _PART.match(part)
    if match is None:
        return None
    operator = match[1] or "="
    given = []
    for group in match.groups()[1:]:
        if group is None or not group.isdigit():
            break
        given.append(int(group))
    low, high = _bounds(operator, given)
    if operator == "<":
        return version < low
    if operator == ">":
        return version >= high if len(given) < 3 else version > low
    if operator == "<=":
        return version < high if len(given) < 3 else version <= low
    if operator == ">=":
        return version >= low
    return low <= version < high


def _bounds(operator: str, given: list[int]) -> tuple[Version, Version]:
    """The first version in, and the first one out, of `given` under ^, ~ or =."""
    major, minor, patch = (*given, 0, 0, 0)[:3]
    low = (major, minor, patch)
    if not given:
        return (0, 0, 0), (2**31, 0, 0)
    if operator == "^":
        if major or len(given) == 1:
            return low, (major + 1, 0, 0)
        return low, ((0, minor + 1, 0) if minor or len(given) == 2 else (0, 0, patch + 1))
    if len(given) == 1:
        return low, (major + 1, 0, 0)
    if len(given) == 2 or operator == "~":
        return low, (major, minor + 1, 0)
    return low, (major, minor, patch + 1)
