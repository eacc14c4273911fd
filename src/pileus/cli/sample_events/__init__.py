"""Events as AWS sends them to functions, one JSON file a type, with what each lets be set.

A file has `about`; `set`: name → [default, what it is]; `body`: which of these `--body` sets; `event`: the event, whose
texts may hold `{name}` or `{name|filter}`. A text that is nothing but one such token becomes the value itself, so that a
filter can make a number or an object of it. Besides `set` there are `{region}`, `{account}`, the moments `{time}`,
`{second}`, `{epoch}`, `{epoch_ms}`, and ids: `{uuid1}`, `{uuid2}`, `{hex1}`, … (the same name is the same id).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote_plus

import orjson

_FOLDER = Path(__file__).parent
#: What a filter gives for a member that is then left out.
_NOTHING: Any = object()
_TOKEN = re.compile(r"\{(\w+)(?:\|(\w+))?\}")
#: Names that v3's `generate-event --type` and the events of serverless.yml have for the same shapes.
ALIASES = {
    "aws:alexaSkill": "alexaSkill",
    "aws:alexaSmartHome": "alexaSmartHome",
    "aws:apiGateway": "http",
    "aws:cloudWatch": "schedule",
    "aws:cloudWatchLog": "cloudwatchLog",
    "aws:cognitoUserPool": "cognitoUserPool",
    "aws:dynamo": "dynamodb",
    "aws:iot": "iot",
    "aws:kinesis": "kinesis",
    "aws:s3": "s3",
    "aws:ses": "ses",
    "aws:sns": "sns",
    "aws:sqs": "sqs",
    "aws:websocket": "websocket",
    "apiGateway": "http",
    "cognito": "cognitoUserPool",
    "cloudwatchEvent": "schedule",
    "rest": "http",
    "functionUrl": "url",
    "sdk": "url",
}


class UnknownEvent(Exception):
    """There is no such type, or the type has no such setting."""


@dataclass(frozen=True, slots=True)
class SampleEvent:
    """settings: name → (default, what it is). body: the one that carries the content. packed: a text that stands
    in the event as `{packed}`."""

    name: str
    about: str
    settings: Mapping[str, tuple[str, str]]
    body: str
    event: Any
    packed: str = ""

    def make(self, given: Mapping[str, str], *, region: str = "us-east-1", at: float | None = None) -> Any:
        """The event with these values. Raises UnknownEvent for a setting that it does not have."""
        for name in given:
            if name not in self.settings:
                known = ", ".join(self.settings)
                raise UnknownEvent(f"the event '{self.name}' has no '{name}'; it has {known}.")
        values = {name: default for name, (default, _) in self.settings.items()}
        values |= {"region": region, "account": "123456789012", **_moments(at), **given}
        values["packed"] = _filled(self.packed, partial(_value, values)) if self.packed else ""
        return _filled(self.event, partial(_value, values))


def names() -> list[str]:
    return sorted(file.stem for file in _FOLDER.glob("*.json"))


def sample_event(name: str) -> SampleEvent:
    """By its name or one of its aliases. Raises UnknownEvent."""
    known = names()
    found = {each.lower(): each for each in known} | {alias.lower(): to for alias, to in ALIASES.items()}
    stem = found.get(name.lower())
    if stem is None:
        raise UnknownEvent(f"there is no event '{name}'; there are {', '.join(known)}.")
    read = orjson.loads((_FOLDER / f"{stem}.json").read_bytes())
    settings = {key: (default, about) for key, (default, about) in read["set"].items()}
    return SampleEvent(stem, read["about"], settings, read["body"], read["event"], read.get("packed", ""))


def all_events() -> Iterator[SampleEvent]:
    return map(sample_event, names())


def _moments(at: float | None) -> dict[str, str]:
    now = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return {
        "time": now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z",
        "second": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "clf": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "rfc1123": now.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        "epoch": str(int(now.timestamp())),
        "epoch_ms": str(int(now.timestamp() * 1000)),
    }


def _value(values: dict[str, str], name: str, how: str | None) -> Any:
    if name not in values:
        new = uuid.uuid4()
        values[name] = str(new) if name.startswith("uuid") else new.hex
    return values[name] if how is None else _FILTERS[how](values[name])


def _filled(shape: Any, value: Callable[[str, str | None], Any]) -> Any:
    if isinstance(shape, dict):
        filled = {key: _filled(each, value) for key, each in shape.items()}
        return {key: each for key, each in filled.items() if each is not _NOTHING}
    if isinstance(shape, list):
        return [_filled(each, value) for each in shape]
    if not isinstance(shape, str):
        return shape
    alone = _TOKEN.fullmatch(shape)
    if alone is not None:
        return value(alone[1], alone[2])
    return _TOKEN.sub(lambda match: str(value(match[1], match[2])), shape)


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _log_data(text: str) -> str:
    """How CloudWatch Logs packs what it sends."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _item(text: str) -> Any:
    """An item as DynamoDB writes it, of plain JSON; one that is written that way already stays."""
    item = _json(text)
    if item == {}:
        return _NOTHING
    if not isinstance(item, dict):
        return {"value": _attribute(item)}
    kinds = [next(iter(each)) if isinstance(each, dict) and len(each) == 1 else "" for each in item.values()]
    typed = all(kind in _TYPES for kind in kinds)
    return item if typed else {name: _attribute(each) for name, each in item.items()}


def _attribute(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": str(value)}
        case list():
            return {"L": [_attribute(each) for each in value]}
        case dict():
            return {"M": {name: _attribute(each) for name, each in value.items()}}
    return {"S": str(value)}


def _last(text: str) -> Any:
    """A query string as REST APIs and load balancers give it: of a name that comes twice, the last value."""
    return dict(parse_qsl(text, keep_blank_values=True)) or None


def _all(text: str) -> Any:
    return parse_qs(text, keep_blank_values=True) or None


def _joined(text: str) -> Any:
    """As payload 2.0 gives it: values joined with commas, and nothing where there is no query."""
    found = parse_qs(text, keep_blank_values=True)
    return {name: ",".join(values) for name, values in found.items()} or _NOTHING


_TYPES = frozenset(["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"])
_FILTERS: dict[str, Callable[[str], Any]] = {
    "b64": lambda text: base64.b64encode(text.encode()).decode(),
    "md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    "url": quote_plus,
    "json": _json,
    "number": lambda text: int(text) if text.lstrip("-").isdigit() else float(text),
    "or_null": lambda text: text or None,
    "logs": _log_data,
    "quoted": lambda text: orjson.dumps(text).decode()[1:-1],
    "item": _item,
    "last": _last,
    "all": _all,
    "object": lambda text: _last(text) or {},
    "joined": _joined,
    "some": lambda text: _json(text) or _NOTHING,
    "or_nothing": lambda text: text or _NOTHING,
}
