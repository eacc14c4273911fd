"""Brings a resolved configuration into the one form that is validated and compiled.

Lists of functions or resources become one object, `provider: aws` an object, every function gets `events` and a
`name`. What has no form at all (a function that is a text) is an error whatever the validation mode.
"""

from pileus.service import semver
from pileus.service.errors import ConfigError, did_you_mean
from pileus.service.marks import Marks
from pileus.service.merge import merge
from pileus.service.scalars import as_text
from pileus.service.tree import Json, Path

#: The version whose format is read here; `frameworkVersion` is checked against it.
FORMAT_VERSION: semver.Version = (3, 40, 0)


class Normaliser:
    """Changes `config` in place; `errors` collects what cannot be brought into form."""

    def __init__(self, config: dict[str, Json], marks: Marks) -> None:
        self.config = config
        self.marks = marks
        self.errors: list[ConfigError] = []
        self.warnings: list[ConfigError] = []

    def error(self, message: str, path: Path, hint: str | None = None, *, key: bool = False) -> None:
        self.errors.append(ConfigError(message, path=path, mark=self.marks.find(path, key=key), hint=hint))

    def run(self) -> None:
        """Everything that does not depend on the stage."""
        self.service()
        self.framework_version()
        self.provider()
        self.functions()
        self.resources()
        for name in ("package", "layers"):
            if not isinstance(self.config.get(name, {}), (dict, type(None))):
                self.error(f"'{name}' must be an object", (name,))

    def service(self) -> None:
        name = self.config.get("service")
        if name is None or name == "":
            close = did_you_mean("service", [key for key in self.config if key != "service"])
            self.error("the property 'service' is missing", (), close or "add a line 'service: my-service'")
        elif not isinstance(name, (str, int)):
            self.error("'service' must be a name", ("service",), "service: my-service")
        else:
            self.config["service"] = str(name)

    def framework_version(self) -> None:
        wanted = self.config.get("frameworkVersion")
        if wanted is None:
            return
        fits = semver.satisfies(FORMAT_VERSION, wanted) if isinstance(wanted, str) else None
        path: Path = ("frameworkVersion",)
        if fits is None:
            message = f"{wanted!r} is not a range of versions, so that the version is not checked"
            mark = self.marks.find(path)
            self.warnings.append(ConfigError(message, path=path, mark=mark, hint="frameworkVersion: '3'"))
        elif not fits:
            here = ".".join(str(part) for part in FORMAT_VERSION)
            message = f"'{wanted}' does not include {here}, the version of the format that Pileus reads"
            self.error(message, path, "frameworkVersion: '3'")

    def provider(self) -> None:
        provider = self.config.get("provider")
        if isinstance(provider, str):
            self.config["provider"] = {"name": provider}
        elif provider is None:
            self.error("the property 'provider' is missing", (), "add 'provider:' with 'name: aws' under it")
        elif not isinstance(provider, dict):
            self.error(
                "'provider' must be an object", ("provider",), "provider: {name: aws, runtime: python3.12}"
            )
        elif isinstance(provider.get("name"), (int, float)):
            provider["name"] = as_text(provider["name"])
        elif not isinstance(provider.get("name"), str):
            self.error("the property 'name' is missing in 'provider'", ("provider",), "name: aws", key=True)

    def functions(self) -> None:
        functions = self.config.get("functions")
        if functions is None:
            self.config.pop("functions", None)
            return
        if isinstance(functions, list):
            functions = self.one_object("functions", functions)
            self.config["functions"] = functions
        if not isinstance(functions, dict):
            self.error("'functions' must be an object of functions by name", ("functions",))
            self.config["functions"] = {}
            return
        for key in [key for key, function in functions.items() if function is None]:
            del functions[key]
        for key, function in functions.items():
            path: Path = ("functions", key)
            if not isinstance(function, dict):
                message = f"the function '{key}' must be an object, not {_told(function)}"
                self.error(
                    message, path, f"{key}: {{handler: {function}}}" if isinstance(function, str) else None
                )
                continue
            if not function.get("handler") and not function.get("image"):
                close = did_you_mean("handler", function)
                self.error(f"the function '{key}' has neither 'handler' nor 'image'", path, close, key=True)
            if not function.get("events"):
                function["events"] = []
            self.events(path, function["events"])

    def events(self, path: Path, events: Json) -> None:
        if isinstance(events, dict):
            first = next(iter(events))
            self.error("events are a list of objects", (*path, "events"), f"- {first}: ...", key=True)
        elif isinstance(events, list) and None in events:
            self.error("an event must be an object, not null", (*path, "events", events.index(None)))

    def one_object(self, name: str, parts: list[Json]) -> dict[str, Json]:
        """A list of objects merged into one, with the marks of the parts."""
        merged: dict[str, Json] = {}
        whole = Marks(self.marks.find((name,)), children={})
        for index, part in enumerate(parts):
            if part is None:
                continue
            if not isinstance(part, dict):
                self.error(f"an item of '{name}' must be an object, not {_told(part)}", (name, index))
                continue
            merged = merge(merged, part)
            node: Marks | None = self.marks
            for step in (name, index):
                node = node.child(step) if node else None
            if node is not None:
                _overlay(whole, node)
        self.marks.graft((name,), whole)
        return merged

    def resources(self) -> None:
        resources = self.config.get("resources")
        if isinstance(resources, list):
            self.config["resources"] = self.one_object("resources", resources)
        elif resources is not None and not isinstance(resources, dict):
            self.error("'resources' must be an object", ("resources",))
            del self.config["resources"]

    def name_functions(self, service: str, stage: str) -> None:
        """Give every function its Lambda name; `events` precedes it, as in what `print` shows."""
        for key, function in (self.config.get("functions") or {}).items():
            if not function.get("name"):
                function["name"] = f"{service}-{stage}-{key}"


def _told(value: Json) -> str:
    if isinstance(value, list):
        return "a list"
    return f"'{value}'" if isinstance(value, str) else as_text(value)


def _overlay(base: Marks, other: Marks) -> None:
    """Marks merged as `merge` merges the data."""
    children = other.settle().children
    if children is None:
        return
    if base.children is None:
        base.children = {}
    for part, inner in children.items():
        known = base.children.get(part)
        if known is None or not known.children:
            base.children[part] = Marks(inner.mark, inner.key, dict(inner.settle().children or {}) or None)
        else:
            known.mark, known.key = inner.mark, inner.key
            _overlay(known, inner)


def without_nulls(value: Json) -> list[tuple[dict[str, Json], list[str]]]:
    """Take every null out of every object, in place; what was taken, for `with_nulls`."""
    taken: list[tuple[dict[str, Json], list[str]]] = []
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            names = [name for name, inner in item.items() if inner is None]
            for name in names:
                del item[name]
            if names:
                taken.append((item, names))
            stack.extend(inner for inner in item.values() if inner.__class__ in (dict, list))
        elif isinstance(item, list):
            stack.extend(inner for inner in item if inner.__class__ in (dict, list))
    return taken


def with_nulls(taken: list[tuple[dict[str, Json], list[str]]]) -> None:
    """Put the nulls back, last in their objects."""
    for item, names in taken:
        for name in names:
            item.setdefault(name, None)
