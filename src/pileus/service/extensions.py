"""What is added to a service from outside of the format, by plugins: asked for at fixed moments of loading, compiling,
packaging and deploying.

The loader and the compiler know this Protocol and nothing of plugins; `pileus.plugins` implements it. In order:
`open`, `sources` and `schema` while the file is read, `configure` once it is whole, `compiled` and `finished` while
the template is made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pileus.service.errors import ConfigError
from pileus.service.marks import Marks
from pileus.service.tree import Json, Path, get
from pileus.service.variables.source import Found, Request, Scope

if TYPE_CHECKING:
    from pileus.service.model import Service

#: What the service is loaded for. Of `print`, plugins leave out what they add for a deployment only.
Purpose = Literal["package", "offline", "print"]

#: Resolves `${name(params):address}`; MISSING or None: no value here.
Source = Callable[[Request, Scope], Json | Found]


@dataclass(frozen=True, slots=True)
class Opened:
    """A configuration before its variables are resolved. `plugins` is resolved; `config` is as it was written."""

    directory: FilePath
    plugins: Json
    config: Mapping[str, Json]
    marks: Marks
    options: Mapping[str, str]
    environ: Mapping[str, str]

    def mistake(self, message: str, path: Path, hint: str | None = None) -> ConfigError:
        return ConfigError(message, path=path, mark=self.marks.find(path), hint=hint)


@dataclass(frozen=True, slots=True)
class Configuration:
    """A resolved, validated configuration, which plugins may change in place. Each function has `name` and `events`.

    `warnings` are told to the user; add to them with `warn`.
    """

    directory: FilePath
    name: str
    stage: str
    region: str
    config: dict[str, Json]
    marks: Marks
    options: Mapping[str, str]
    environ: Mapping[str, str]
    warnings: list[ConfigError] = field(default_factory=list)

    def get(self, *keys: str | int) -> Json:
        return get(self.config, *keys)

    def mistake(self, message: str, path: Path, hint: str | None = None, *, key: bool = False) -> ConfigError:
        """A ConfigError at a place of the configuration, to raise."""
        return ConfigError(message, path=path, mark=self.marks.find(path, key=key), hint=hint)

    def warn(self, message: str, path: Path, hint: str | None = None, *, key: bool = False) -> None:
        self.warnings.append(self.mistake(message, path, hint, key=key))


class Extensions(Protocol):
    """Everything that is added to one load of one service. All methods may raise ConfigErrors."""

    def open(self, opened: Opened) -> Mapping[str, str]:
        """Called first; the environment variables that ${env:} is to see besides the process's own."""
        ...

    def sources(self) -> Mapping[str, Source]:
        """Sources of variables by their type: `git` for `${git:branch}`."""
        ...

    def schema(self) -> Sequence[Mapping[str, Json]]:
        """What may stand in the configuration besides the format's own: see Validator."""
        ...

    def unknown(self) -> Sequence[str]:
        """The plugins that are named and not there: what the schema does not know may be theirs."""
        ...

    def configure(self, configuration: Configuration) -> None:
        """Change the configuration, before it becomes a Service."""
        ...

    def offline_options(self) -> Mapping[str, Json]:
        """Options of `pileus offline` that the configuration sets, by their names in Python; after `configure`."""
        ...

    def files(self) -> Sequence[FilePath]:
        """Files that were read besides those of the configuration."""
        ...

    def compiled(self, compilation: Any) -> None:
        """Change the pileus.compile.Compilation that holds all that was compiled, before the user's resources."""
        ...

    def finished(self, service: "Service", template: dict[str, Json]) -> None:
        """Change the template, with the user's resources in it."""
        ...

    def replaced(self, service: "Service") -> Sequence[str]:
        """Keys of functions whose files `packaged` brings: the project's need not be looked for."""
        ...

    def built(self, service: "Service") -> Mapping[str, Any]:
        """How functions are built ahead of running here, by their keys (pileus.package.bundle.Build)."""
        ...

    def packaged(self, plan: Any, progress: Callable[[str], None]) -> Any:
        """The pileus.package.PackagePlan with other files in it."""
        ...

    def stage_settings(self, service: "Service") -> Sequence[Mapping[str, str]]:
        """Patch operations of API Gateway's UpdateStage, for the stage of the service's REST API after a deployment."""
        ...
