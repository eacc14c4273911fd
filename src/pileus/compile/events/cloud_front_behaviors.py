"""Cache behaviours of the distribution: events of one path pattern brought together, each with its origin."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.errors import did_you_mean
from pileus.service.model import Event, Function
from pileus.service.tree import Json, Path, copy

#: AWS's managed policy "CachingOptimized".
_CACHING_OPTIMISED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
#: Settings from before there were cache policies: a behaviour has these or a policy.
_WITHOUT_POLICY = ("ForwardedValues", "MinTTL", "MaxTTL", "DefaultTTL")


@dataclass(slots=True)
class Behavior:
    """`pattern` is None for the default behaviour; `origins` is the one of each event, all with one id."""

    pattern: str | None
    path: Path
    settings: dict[str, Json]
    origins: list[dict[str, Json]] = field(default_factory=list)
    is_default: bool = False


def behaviors(c: Compilation, uses: list[tuple[Function, Event]], versions: dict[str, str]) -> list[Behavior]:
    """The behaviours in the order of the file. `versions`: function → logical id of its version."""
    found: dict[str | None, Behavior] = {}
    for function, event in uses:
        origin = _origin(event.get("origin"))
        if origin is None:
            c.mistake("cloudFront needs an 'origin'", event.path, "origin: https://example.com/path")
            continue
        settings = _settings(c, event, origin["Id"])
        association: dict[str, Json] = {
            "EventType": event.get("eventType"),
            "LambdaFunctionARN": fn.ref(versions[function.key]),
        }
        if event.get("includeBody") is not None:
            association["IncludeBody"] = event.get("includeBody")
        pattern = event.get("pathPattern") or None
        known = found.get(pattern)
        if known is None:
            known = found[pattern] = Behavior(pattern, event.path, {**settings})
            known.settings["LambdaFunctionAssociations"] = []
        elif known.settings["TargetOriginId"] != origin["Id"]:
            message = "two events with the same 'pathPattern' have different origins"
            c.mistake(message, event.path, "give both the same origin")
        else:
            _lay_under(known.settings, settings)
        _associate(c, event, known.settings["LambdaFunctionAssociations"], association)
        known.origins.append(origin)
        known.is_default |= bool(event.get("isDefaultOrigin"))
    return list(found.values())


def _settings(c: Compilation, event: Event, origin_id: str) -> dict[str, Json]:
    given: dict[str, Json] = copy(event.get("behavior") or {})
    settings: dict[str, Json] = {"ViewerProtocolPolicy": "allow-all", **given}
    policy = event.get("cachePolicy") or {}
    if policy.get("name"):
        defined = c.service.setting("cloudFront", "cachePolicies") or {}
        if policy["name"] not in defined:
            message = f"there is no cache policy '{policy['name']}' in provider.cloudFront.cachePolicies"
            c.mistake(
                message, (*event.path, "cachePolicy", "name"), did_you_mean(str(policy["name"]), defined)
            )
        settings["CachePolicyId"] = fn.ref(naming.cache_policy(str(policy["name"])))
    elif policy.get("id"):
        settings["CachePolicyId"] = policy["id"]
    elif "CachePolicyId" not in given and not any(name in given for name in _WITHOUT_POLICY):
        settings["CachePolicyId"] = _CACHING_OPTIMISED
    settings["TargetOriginId"] = origin_id
    return settings


def _lay_under(settings: dict[str, Json], later: dict[str, Json]) -> None:
    """Add what a later event of the same pattern says: lists are joined, of other values the first stays."""
    for name, value in later.items():
        if name not in settings:
            settings[name] = value
        elif isinstance(value, dict) and isinstance(settings[name], dict):
            _lay_under(settings[name], value)
        elif isinstance(value, list) and isinstance(settings[name], list):
            settings[name] = [*settings[name], *(item for item in value if item not in settings[name])]


def _associate(c: Compilation, event: Event, known: list[Json], association: dict[str, Json]) -> None:
    if association in known:
        return
    if any(other["EventType"] == association["EventType"] for other in known):
        message = f"two functions are there for {association['EventType']} of the same path"
        c.mistake(message, (*event.path, "eventType"), "give one of them another 'pathPattern'")
    known.append(association)


def default_behavior(c: Compilation, found: list[Behavior], origins: int) -> dict[str, Json]:
    """The one without a pattern; when there is none, the first one's settings on the default origin."""
    for behavior in found:
        if behavior.pattern is None:
            return behavior.settings
    chosen = next((behavior for behavior in found if behavior.is_default), found[0] if found else None)
    if chosen is None:
        return {}
    if origins > 1 and not chosen.is_default:
        message = "there are several origins, and none of them is the default"
        c.mistake(message, chosen.path, "set 'isDefaultOrigin: true' in one event")
    settings: dict[str, Json] = copy(found[0].settings)
    del settings["LambdaFunctionAssociations"]
    settings["TargetOriginId"] = chosen.settings["TargetOriginId"]
    return settings


def _origin(given: Json) -> dict[str, Json] | None:
    """An origin's settings with its id, from a URL (`s3://` for a bucket) or as CloudFormation has it."""
    if isinstance(given, dict) and given.get("DomainName"):
        origin = dict(given)
    elif isinstance(given, str):
        url = urlsplit(given)
        if not url.scheme or not url.hostname:
            return None
        origin = {"DomainName": url.hostname}
        if url.path and url.path != "/":
            origin["OriginPath"] = url.path
        if url.scheme == "s3":
            origin["S3OriginConfig"] = {}
        else:
            origin["CustomOriginConfig"] = {"OriginProtocolPolicy": "match-viewer"}
    else:
        return None
    domain = origin["DomainName"]
    name = domain if isinstance(domain, str) else re.sub(r"[^0-9A-Za-z]", "", "".join(_words(domain)))
    kind = "s3" if "S3OriginConfig" in origin else "custom"
    origin["Id"] = f"{kind}/{name}{origin.get('OriginPath') or ''}"
    return origin


def _words(value: Json) -> list[str]:
    """The keys and texts of an intrinsic function, in order."""
    if isinstance(value, dict):
        return [word for key, inner in value.items() for word in (str(key), *_words(inner))]
    if isinstance(value, list):
        return [word for inner in value for word in _words(inner)]
    return [str(value)]
