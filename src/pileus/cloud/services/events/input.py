"""What a target gets: the event, a part of it, a constant, or a text made from it.

Source: "Amazon EventBridge input transformation" in the user guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import ValidationException

_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_STEP = re.compile(r"\.([\w\-]+)|\[(\d+)\]|\['([^']+)'\]")
_PATH = re.compile(r"\$(?:\.[\w\-]+|\[\d+\]|\['[^']+'\])*")
_MISSING: Any = object()


def check_path(path: str) -> None:
    if not _PATH.fullmatch(path):
        raise ValidationException(f"Invalid JSONPath: {path}")


def target_input(target: Mapping[str, Any], event: Mapping[str, Any], facts: Mapping[str, str]) -> bytes:
    """The payload for `target`. facts: the reserved variables (`aws.events.rule-arn`, …)."""
    if target.get("Input") is not None:
        return str(target["Input"]).encode()
    if target.get("InputPath") is not None:
        found = select(event, target["InputPath"])
        return orjson.dumps(None if found is _MISSING else found)
    transformer = target.get("InputTransformer")
    if transformer is None:
        return orjson.dumps(event)
    return _transform(transformer, event, facts)


def select(document: Any, path: str) -> Any:
    for name, index, quoted in _STEP.findall(path):
        if index:
            if not isinstance(document, list) or int(index) >= len(document):
                return _MISSING
            document = document[int(index)]
        else:
            if not isinstance(document, dict) or (name or quoted) not in document:
                return _MISSING
            document = document[name or quoted]
    return document


def _transform(transformer: Mapping[str, Any], event: Mapping[str, Any], facts: Mapping[str, str]) -> bytes:
    values: dict[str, Any] = {
        name: select(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()
    }
    values.update(facts)
    values["aws.events.event"] = {key: value for key, value in event.items() if key != "detail"}
    values["aws.events.event.json"] = event
    template: str = transformer["InputTemplate"]
    parts: list[str] = []
    position = 0
    quoted = False
    for match in _PLACEHOLDER.finditer(template):
        between = template[position : match.start()]
        quoted ^= between.replace("\\\\", "").replace('\\"', "").count('"') % 2 == 1
        parts.append(between)
        parts.append(_inserted(values.get(match[1], _MISSING), quoted, match[0], known=match[1] in values))
        position = match.end()
    parts.append(template[position:])
    return "".join(parts).encode()


def _inserted(value: Any, quoted: bool, placeholder: str, *, known: bool) -> str:
    if not known:
        return placeholder
    if value is _MISSING:
        return ""  # a path that the event lacks leaves nothing behind
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if quoted:
        return orjson.dumps(text).decode()[1:-1]
    return orjson.dumps(value).decode()
