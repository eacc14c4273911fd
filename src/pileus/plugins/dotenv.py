"""serverless-dotenv-plugin: the variables of .env files go into the environment of every function.

They don't reach ${env:…}, which is resolved before (`useDotenv: true` does that). The stage in the files' names is
NODE_ENV, else --stage, else `development`; of a name in several files the most specific one counts, and what is in the
environment already counts before all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from ..service import ConfigErrors, dotenv
from ..service.document import read_text
from ..service.errors import ConfigError
from ..service.extensions import Configuration
from ..service.tree import Json, Path
from .hookspecs import hookimpl

_SECTION: Path = ("custom", "dotenv")
_NAMES = {
    "type": "array",
    "items": {"type": "string"},
}


class Plugin:
    def __init__(self) -> None:
        self._read: list[FilePath] = []

    @hookimpl
    def schema(self) -> dict[str, Json]:
        settings = {
            "type": "object",
            "properties": {
                "path": {"type": "string"},
                "basePath": {"type": "string"},
                "dotenvParser": {"type": "string"},
                "include": {"anyOf": [{"const": "*"}, _NAMES]},
                "exclude": _NAMES,
                "logging": {"type": "boolean"},
                "required": {
                    "type": "object",
                    "properties": {"env": _NAMES, "file": {"type": "boolean"}},
                    "additionalProperties": False,
                },
                "variableExpansion": {"type": "boolean"},
                "v4BreakingChanges": {"type": "boolean"},
            },
            "additionalProperties": False,
        }
        return {"custom": {"dotenv": settings}}

    @hookimpl(tryfirst=True)  # the Node plugin does this when it is loaded, before any other acts
    def configure(self, configuration: Configuration) -> None:
        settings = configuration.get(*_SECTION) or {}
        if settings.get("dotenvParser"):
            raise ConfigErrors(
                [
                    configuration.mistake(
                        "a parser in JavaScript cannot be run here",
                        (*_SECTION, "dotenvParser"),
                        "remove it, or write what it does in pileus_plugins.py",
                    )
                ]
            )
        files = [file for file in _files(configuration, settings) if file.is_file()]
        found = self._variables(configuration, settings, files)
        _check(configuration, settings, files, found)
        provider = configuration.config["provider"]
        chosen = _chosen(configuration, settings, found)
        if chosen:
            provider["environment"] = {**(provider.get("environment") or {}), **chosen}

    def _variables(
        self, configuration: Configuration, settings: Mapping[str, Json], files: list[FilePath]
    ) -> dict[str, str]:
        """The variables of all files; the first file that has a name gives its value."""
        known = dict(configuration.environ)
        found: dict[str, str] = {}
        for file in files:
            self._read.append(file)
            try:
                pairs = dotenv.parse(read_text(file))
            except ConfigError as error:
                raise ConfigErrors([error]) from error
            if settings.get("variableExpansion", True) is not False:
                pairs = _expanded(pairs, known)
            for name, value in pairs.items():
                found.setdefault(name, known.get(name, value))
                known.setdefault(name, value)
        return found


def _expanded(pairs: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """References to what is known, and to what stands above in the same file."""
    expanded: dict[str, str] = {}
    for name, value in pairs.items():
        expanded[name] = dotenv.expand({name: value}, {**expanded, **known})[name]
    return expanded


def _files(configuration: Configuration, settings: Mapping[str, Json]) -> Iterator[FilePath]:
    """The files that are looked for, the most specific first."""
    # The plugin takes the paths as they are written, without variables; resolved ones say more.
    path = settings.get("path")
    if path and not settings.get("basePath"):
        yield configuration.directory / str(path)
        return
    base = f"{settings.get('basePath') or ''}.env"
    stage = configuration.environ.get("NODE_ENV") or configuration.options.get("stage") or "development"
    if not re.fullmatch(r"[\w.-]+", stage):
        stage = "development"
    names = [f"{base}.{stage}.local", f"{base}.{stage}", f"{base}.local", base]
    if stage == "test":
        names.remove(f"{base}.local")
    for name in names:
        yield configuration.directory / name


def _check(
    configuration: Configuration,
    settings: Mapping[str, Json],
    files: list[FilePath],
    found: Mapping[str, str],
) -> None:
    required = settings.get("required") or {}
    mistakes = []
    if required.get("file") and not files:
        message = "none of the .env files exists that serverless-dotenv-plugin reads"
        mistakes.append(configuration.mistake(message, (*_SECTION, "required", "file")))
    missing = [
        name for name in required.get("env") or () if name not in found and name not in configuration.environ
    ]
    if missing:
        message = f"the environment variables {', '.join(missing)} are required and not set"
        hint = "set them in the environment or in .env"
        mistakes.append(configuration.mistake(message, (*_SECTION, "required", "env"), hint))
    if mistakes:
        raise ConfigErrors(mistakes)


def _chosen(
    configuration: Configuration, settings: Mapping[str, Json], found: Mapping[str, str]
) -> dict[str, str]:
    include, exclude = settings.get("include"), settings.get("exclude")
    if include is not None and include != "*":
        if exclude:
            configuration.warn("'exclude' does nothing beside 'include'", (*_SECTION, "exclude"), key=True)
        return {name: value for name, value in found.items() if name in include}
    return {name: value for name, value in found.items() if name not in (exclude or ())}
