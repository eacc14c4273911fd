"""What can't run here, as mistakes at their places in serverless.yml: found before anything is created where that is
possible, and explained afterwards where CloudFormation said it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

import orjson

from ..cloud.interpreters import choose_node
from ..compile.function import DEFAULT_RUNTIME
from ..service import ConfigError, Service
from ..service.tree import Path
from .origin import Origins

if TYPE_CHECKING:
    from ..cloud.kernel import AwsError, Cloud

_PYTHON = re.compile(r"python3\.\d+")
_NODE = re.compile(r"nodejs\d+\.x")
_PROVIDED = re.compile(r"provided(\.al2|\.al2023)?")
#: What to do about a runtime for which there is no environment here, by how its name begins.
_INSTEAD = {
    "java": "deploy it to AWS to run it, or write the function for Python or Node.js",
    "dotnet": "publish it as a self-contained program named 'bootstrap' with the runtime provided.al2023",
    "ruby": "deploy it to AWS to run it, or write the function for Python or Node.js",
    "go": "build it as a program named 'bootstrap' with the runtime provided.al2023, as AWS asks for, too",
}
_NOT_EMULATED = re.compile(r"does not emulate \w+ \w+\.(\w+)")
_WIRE = re.compile(r" \(Status Code: \d+; Error Code: (\w+); Request ID: [^)]*\)")
_COVERAGE = "docs/coverage.md lists what is emulated"
_MOST_NAMED = 3
_ALEXA = ("alexaSkill", "alexaSmartHome")


class ResourceCoverage(Protocol):
    """One resource's answer of CloudFormation. state: `emulated`, `stored` or `refused`."""

    logical_id: str
    type: str
    state: str
    stored: tuple[str, ...]
    refused: tuple[str, ...]


def coverage_of(cloud: Cloud, template: Mapping[str, Any]) -> list[ResourceCoverage]:
    """How much of each resource is emulated."""
    body = orjson.dumps(template).decode()
    return cast("list[ResourceCoverage]", cast("Any", cloud.service("cloudformation")).coverage(body))


def unrunnable_functions(service: Service) -> Iterator[ConfigError]:
    """Functions for whose runtime there is no environment here."""
    by_provider: list[str] = []
    default = service.setting("runtime")
    for function in service.functions.values():
        if function.get("image") is not None:
            yield service.mistake(
                f"the function '{function.key}' is a container image, which can't run here",
                (*function.path, "image"),
                "give it a 'handler' and a runtime",
            )
            continue
        own = function.get("runtime")
        if own is None:
            by_provider.append(function.key)
        else:
            yield from _check_runtime(service, [function.key], str(own), (*function.path, "runtime"))
    if by_provider and default:
        yield from _check_runtime(service, by_provider, str(default), ("provider", "runtime"))
    elif by_provider:
        message = f"no runtime, which means {DEFAULT_RUNTIME}, for which AWS makes no functions any more"
        yield service.mistake(f"{_who(by_provider)} {message}", ("provider",), "set 'runtime' here")


def _check_runtime(service: Service, functions: list[str], runtime: str, path: Path) -> Iterator[ConfigError]:
    if _PYTHON.fullmatch(runtime) or _PROVIDED.fullmatch(runtime):
        return
    if not _NODE.fullmatch(runtime):
        yield _unrunnable(service, functions, runtime, path)
    elif choose_node(runtime) is None:
        message = f"{runtime} functions need Node.js, and there is no node in PATH"
        yield service.mistake(message, path, "install Node.js, or an nvm with the version that AWS runs")


def undeliverable_events(service: Service) -> Iterator[ConfigError]:
    """Events that make nothing but a permission: without this, they would deploy and never come."""
    for kind in _ALEXA:
        for _, event in service.events(kind):
            message = f"the event '{kind}' can't be delivered here: there is no Alexa"
            yield service.mistake(message, event.path, f"leave it out here; {_COVERAGE}", key=True)


def _unrunnable(service: Service, functions: list[str], runtime: str, path: Path) -> ConfigError:
    return service.mistake(
        f"{_who(functions)} the runtime {runtime}, which can't run here: only Python, Node.js and provided runtimes do",
        path,
        next((told for family, told in _INSTEAD.items() if runtime.startswith(family)), None),
    )


def _who(functions: list[str]) -> str:
    return f"the function '{functions[0]}' has" if len(functions) == 1 else f"{len(functions)} functions have"


def made_functions(service: Service, template: Mapping[str, Any]) -> list[ConfigError]:
    """Functions that the framework adds for what CloudFormation can't do (custom resources), which are in Node.js."""
    origins = Origins(service)
    own = {each.name for each in service.functions.values()}
    mistakes: dict[Path, ConfigError] = {}
    for logical_id, resource in template["Resources"].items():
        kind = resource.get("Type", "")
        if not kind.startswith("Custom::"):
            continue
        token = (resource.get("Properties") or {}).get("ServiceToken")
        target = token.get("Fn::GetAtt") if isinstance(token, dict) else None
        maker = template["Resources"].get(target[0]) if isinstance(target, list) else None
        properties = (maker or {}).get("Properties") or {}
        if properties.get("FunctionName") in own or _PYTHON.fullmatch(
            str(properties.get("Runtime", "python3.0"))
        ):
            continue
        path = origins.of(logical_id) or ()
        mistakes.setdefault(
            path,
            service.mistake(
                f"this is done by a function that Serverless Framework adds in Node.js ({logical_id}, {kind}), "
                "which can't run here yet",
                path,
                _remedy(path),
                key=True,
            ),
        )
    return list(mistakes.values())


def _remedy(path: Path) -> str:
    if path[:1] == ("functions",) and path[-1] in ("s3", "cognitoUserPool", "eventBridge"):
        return "leave out 'existing: true' here: name the resource in this service, or deploy it with its own stack"
    if path[:2] == ("provider", "logs"):
        return "set 'roleManagedExternally: true' under it; API Gateway needs no role to log here"
    return "leave it out here"


def uncovered(service: Service, cloud: Cloud, template: Mapping[str, Any], told: str) -> list[ConfigError]:
    """Resource types and properties that are not emulated. told: CloudFormation's refusal, which names those that count."""
    origins = Origins(service)
    found: dict[tuple[Path, str], list[str]] = {}
    for item in coverage_of(cloud, template):
        if item.state != "refused" or f"{item.logical_id} (" not in told:
            continue
        path = origins.of(item.logical_id, item.refused) or ()
        if item.refused:
            names = ", ".join(f"'{name}'" for name in item.refused)
            what = f"{'property' if len(item.refused) == 1 else 'properties'} {names} of {item.type}"
            found.setdefault((path, what), []).append(item.logical_id)
        else:
            found.setdefault((path, ""), []).append(f"{item.logical_id} ({item.type})")
    return [_uncovered(service, path, what, names) for (path, what), names in found.items()]


def _uncovered(service: Service, path: Path, what: str, names: list[str]) -> ConfigError:
    is_event = path[:1] == ("functions",) and "events" in path
    if what and is_event:
        message = (
            f"the event '{path[-1]}' can't be delivered here yet; it needs the {what} ({_listed(names)})"
        )
    elif what:
        message = f"the {what} ({_listed(names)}) can't be emulated yet"
    elif is_event:
        message = f"the event '{path[-1]}' can't be delivered here yet; it needs {_listed(names)}"
    elif len(names) == 1:
        message = f"{names[0]} can't be emulated yet"
    else:
        message = f"this makes resources that can't be emulated yet: {_listed(names)}"
    hint = f"leave it out here; {_COVERAGE}"
    return service.mistake(message, path, hint, key=True) if path else ConfigError(message, hint=hint)


def _listed(names: list[str]) -> str:
    rest = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def refused_template(
    service: Service, cloud: Cloud, template: Mapping[str, Any], error: AwsError
) -> list[ConfigError]:
    """The refusal of a whole template, at the places of what it names."""
    if error.code == "NotEmulated" and (found := uncovered(service, cloud, template, error.message)):
        return found
    origins = Origins(service)
    words = re.findall(r"\w+", error.message)
    path = _parameter(error.message) or origins.using(_names_in(error.message))
    if path is None:
        named = (origins.of(word) for word in words if word in template["Resources"])
        path = next((each for each in named if each is not None), None)
    message = error.message or error.code
    return [service.mistake(message, path, key=True) if path else ConfigError(f"CloudFormation: {message}")]


def _parameter(message: str) -> Path | None:
    missing = re.match(r"Parameters: \[(\w+)", message)
    return ("resources", "Parameters", missing[1]) if missing is not None else None


def _names_in(message: str) -> set[str]:
    """What a complaint about references is about: `… dependencies [Name]`, `resource Name … attribute type Name`."""
    listed = re.search(r"dependencies \[([^\]]*)\]", message)
    if listed is not None:
        return {name.strip() for name in listed[1].split(",")}
    attribute = re.search(r"resource (\w+) does not support attribute type ([\w.]+)", message)
    if attribute is not None:
        return set(attribute.groups())
    return set(re.findall(r"Fn::\w+", message))


def failed_resources(
    service: Service, template: Mapping[str, Any], reasons: Iterable[tuple[str, str, str]]
) -> list[ConfigError]:
    """Resources that CloudFormation could not make, `(logical id, type, reason)`, at their places."""
    origins = Origins(service)
    mistakes = []
    for logical_id, kind, reason in reasons:
        given = (template["Resources"].get(logical_id) or {}).get("Properties") or {}
        refused = _NOT_EMULATED.findall(reason)
        properties = tuple(refused or [word for word in re.findall(r"\w+", reason) if word in given])
        path = (properties and origins.of(logical_id, properties)) or origins.of(logical_id)
        message = f"{logical_id} ({kind}): " + _WIRE.sub(r" (\1)", reason)
        mistakes.append(service.mistake(message, path, key=True) if path else ConfigError(message))
    return mistakes
