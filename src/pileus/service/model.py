"""The service as the compiler sees it: a thin typed view on the resolved configuration.

`config` stays plain data, coerced and complete; the dataclasses name what nearly every step needs. Values that
are optional in a corner of one event are read from the plain data where they are used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from pileus.service.errors import ConfigError
from pileus.service.extensions import Extensions
from pileus.service.marks import Mark, Marks
from pileus.service.tree import Json, Path, get


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a function. `position` counts all its events from 1, `path` leads to the event's settings."""

    kind: str
    config: Json
    function: str
    position: int

    @property
    def path(self) -> Path:
        return ("functions", self.function, "events", self.position - 1, self.kind)

    def get(self, *keys: str | int) -> Json:
        return get(self.config, *keys)


@dataclass(frozen=True, slots=True)
class Function:
    """`key` is its name in serverless.yml, `name` its name in Lambda."""

    key: str
    name: str
    config: dict[str, Json]
    events: tuple[Event, ...]

    @property
    def path(self) -> Path:
        return ("functions", self.key)

    def get(self, *keys: str | int) -> Json:
        return get(self.config, *keys)


@dataclass(frozen=True, slots=True)
class Service:
    """A loaded service. `mistakes` are what the schema found and the configuration's mode let pass, `off` included.

    `extensions` is what plugins do to it from here on.
    """

    directory: FilePath
    file: FilePath
    name: str
    stage: str
    region: str
    config: dict[str, Json]
    marks: Marks
    functions: Mapping[str, Function]
    options: Mapping[str, str]
    mistakes: tuple[ConfigError, ...] = ()
    instance: str = ""
    extensions: Extensions | None = None

    @property
    def provider(self) -> dict[str, Json]:
        provider: dict[str, Json] = self.config["provider"]
        return provider

    def setting(self, *keys: str) -> Json:
        """`provider.<keys>`, None when it is not set."""
        return get(self.provider, *keys)

    def mark(self, path: Path, *, key: bool = False) -> Mark:
        return self.marks.find(path, key=key)

    def mistake(self, message: str, path: Path, hint: str | None = None, *, key: bool = False) -> ConfigError:
        """A ConfigError at a place of the configuration."""
        return ConfigError(message, path=path, mark=self.mark(path, key=key), hint=hint)

    def events(self, kind: str) -> list[tuple[Function, Event]]:
        """Every event of a kind with its function, in the order of the file."""
        return [(fn, event) for fn in self.functions.values() for event in fn.events if event.kind == kind]
