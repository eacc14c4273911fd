"""`custom.pythonRequirements`: the settings of serverless-python-requirements, read once and checked.

Settings that only drive Docker are taken note of: wheels for Lambda's Linux come without it.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path as FilePath
from typing import Any, Protocol

from pileus.service.errors import ConfigError, ConfigErrors, did_you_mean
from pileus.service.tree import Json, Path, get

#: The place of the settings in the configuration.
PATH = ("custom", "pythonRequirements")

#: Where they stand only for Docker's sake, and what is lost when they have no effect.
_DOCKER = {
    "dockerizePip": "",
    "dockerImage": "",
    "dockerSsh": "",
    "dockerPrivateKey": "",
    "dockerEnv": "",
    "dockerBuildCmdExtraArgs": "",
    "dockerRunCmdExtraArgs": "",
    "dockerRootless": "",
    "dockerFile": "what the Dockerfile installs is not in the artifact",
    "dockerExtraFiles": "these files are not in the artifact: put them into a folder and name it as `vendor`",
}
#: What pip is told about the target, which is known here, and what uv has no use for; with a value where it is 1.
_DROPPED_ARGUMENTS = {
    "--platform": 1, "--implementation": 1, "--abi": 1, "--python-version": 1, "--only-binary": 1, "--target": 1,
    "-t": 1, "--progress-bar": 1, "--root-user-action": 1, "--timeout": 1, "--retries": 1,
    "--compile": 0, "--no-compile": 0, "--upgrade": 0, "-U": 0, "--no-warn-script-location": 0,
    "--disable-pip-version-check": 0, "--prefer-binary": 0, "--use-pep517": 0, "--no-warn-conflicts": 0,
    "--no-input": 0, "--isolated": 0, "-q": 0, "--quiet": 0, "-v": 0, "--verbose": 0, "--user": 0, "--no-user": 0,
    "--ignore-installed": 0, "-I": 0,
}  # fmt: skip


class Described(Protocol):
    """What settings are read from: a Service, or the Configuration that becomes one."""

    @property
    def directory(self) -> FilePath: ...
    @property
    def config(self) -> dict[str, Json]: ...
    def mistake(
        self, message: str, path: Path, hint: str | None = None, *, key: bool = False
    ) -> ConfigError: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """As the plugin names them, in our spelling; `layer` is what the user says of the layer, None without one."""

    file_name: str = "requirements.txt"
    #: Whether the user named the file, rather than took the default.
    file_named: bool = False
    use_uv: bool = True
    use_poetry: bool = True
    use_pipenv: bool = True
    require_poetry_lock_file: bool = False
    poetry_with_groups: tuple[str, ...] = ()
    poetry_without_groups: tuple[str, ...] = ()
    poetry_only_groups: tuple[str, ...] = ()
    zip: bool = False
    slim: bool = False
    strip: bool = True
    slim_patterns: tuple[str, ...] = ()
    slim_patterns_append_defaults: bool = True
    no_deploy: tuple[str, ...] = ()
    layer: Mapping[str, Any] | None = None
    use_static_cache: bool = True
    use_download_cache: bool = True
    cache_location: str = ""
    static_cache_max_versions: int = 0
    invalidate_caches: bool = False
    pip_arguments: tuple[str, ...] = ()
    vendor: str = ""
    python_bin: str = ""
    #: Ours: `.pyc` beside the sources. Left out by `slim` unless asked for.
    precompile: bool = True
    warnings: tuple[ConfigError, ...] = field(default=(), compare=False)

    @property
    def fresh(self) -> bool:
        """Whether nothing kept from an earlier run may be used."""
        return self.invalidate_caches or not self.use_static_cache


_BOOLEANS = {
    "useUv": "use_uv",
    "usePoetry": "use_poetry",
    "usePipenv": "use_pipenv",
    "requirePoetryLockFile": "require_poetry_lock_file",
    "zip": "zip",
    "slim": "slim",
    "strip": "strip",
    "slimPatternsAppendDefaults": "slim_patterns_append_defaults",
    "useStaticCache": "use_static_cache",
    "useDownloadCache": "use_download_cache",
    "invalidateCaches": "invalidate_caches",
    "precompile": "precompile",
}
_LISTS = {
    "poetryWithGroups": "poetry_with_groups",
    "poetryWithoutGroups": "poetry_without_groups",
    "poetryOnlyGroups": "poetry_only_groups",
    "slimPatterns": "slim_patterns",
    "noDeploy": "no_deploy",
    "pipCmdExtraArgs": "pip_arguments",
}
_TEXTS = {
    "fileName": "file_name",
    "cacheLocation": "cache_location",
    "vendor": "vendor",
    "pythonBin": "python_bin",
}
_KNOWN = (*_BOOLEANS, *_LISTS, *_TEXTS, *_DOCKER, "layer", "staticCacheMaxVersions")


def read_settings(service: Described) -> Settings:
    """Raises ConfigErrors with everything that is wrong in `custom.pythonRequirements`."""
    config = get(service.config, *PATH)
    if config is None or config is False or config is True:
        return Settings()
    if not isinstance(config, dict):
        raise ConfigErrors([service.mistake("must be an object", PATH)])
    return _Reader(service, config).read()


class _Reader:
    def __init__(self, service: Described, config: dict[str, Json]) -> None:
        self.service = service
        self.config = config
        self.mistakes: list[ConfigError] = []
        self.warnings: list[ConfigError] = []

    def read(self) -> Settings:
        values: dict[str, Any] = {}
        for key, value in self.config.items():
            if value is None:
                continue
            if key in _BOOLEANS:
                values[_BOOLEANS[key]] = self.boolean(key, value)
            elif key in _LISTS:
                values[_LISTS[key]] = self.texts(key, value)
            elif key in _TEXTS:
                values[_TEXTS[key]] = self.text(key, value)
            elif key == "layer":
                values["layer"] = self.layer(value)
            elif key == "staticCacheMaxVersions":
                values["static_cache_max_versions"] = self.number(key, value)
            elif key in _DOCKER:
                self.docker(key, value)
            else:
                self.mistakes.append(
                    self.service.mistake(
                        f"unknown setting '{key}'", (*PATH, key), did_you_mean(key, _KNOWN), key=True
                    )
                )
        if self.mistakes:
            raise ConfigErrors(self.mistakes)
        return self.complete(values)

    def complete(self, values: dict[str, Any]) -> Settings:
        values["file_named"] = "file_name" in values
        if values.get("slim") and "precompile" not in values:
            values["precompile"] = False
        values["pip_arguments"] = self.arguments(values.get("pip_arguments", ()))
        values["no_deploy"] = tuple(normalised(name) for name in values.get("no_deploy", ()))
        for name in ("cache_location", "python_bin"):
            if values.get(name):
                values[name] = str(FilePath(self.service.directory, FilePath(values[name]).expanduser()))
        assert set(values) <= {one.name for one in fields(Settings)}
        return Settings(**values, warnings=tuple(self.warnings))

    def wrong(self, key: str, what: str) -> None:
        self.mistakes.append(self.service.mistake(what, (*PATH, key)))

    def boolean(self, key: str, value: Json) -> bool:
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):  # what variables make of options
            return bool(value == "true")
        self.wrong(key, "must be true or false")
        return False

    def text(self, key: str, value: Json) -> str:
        if isinstance(value, str):
            return value
        self.wrong(key, "must be a text")
        return ""

    def number(self, key: str, value: Json) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.wrong(key, "must be a number from 0")
        return 0

    def texts(self, key: str, value: Json) -> tuple[str, ...]:
        values = [value] if isinstance(value, str) else value
        if isinstance(values, list) and all(isinstance(one, str) for one in values):
            return tuple(values)
        self.wrong(key, "must be a list of texts")
        return ()

    def layer(self, value: Json) -> Mapping[str, Any] | None:
        if value in (False, "false"):
            return None
        if value in (True, "true"):
            return {}
        if not isinstance(value, dict):
            self.wrong("layer", "must be true, false or an object")
            return None
        return value

    def docker(self, key: str, value: Json) -> None:
        if not value or value == "false":
            return
        lost = _DOCKER[key] or "wheels for Lambda are taken without Docker"
        self.warnings.append(self.service.mistake(f"'{key}' has no effect: {lost}", (*PATH, key), key=True))

    def arguments(self, given: tuple[str, ...]) -> tuple[str, ...]:
        """Arguments for pip as uv takes them. What says the target again is left out."""
        words = iter([word for text in given for word in shlex.split(text)])
        kept: list[str] = []
        for word in words:
            name, equals, value = word.partition("=")
            if name in _DROPPED_ARGUMENTS:
                if _DROPPED_ARGUMENTS[name] and not equals:
                    next(words, None)
            elif name == "--trusted-host":
                kept += ["--allow-insecure-host", value if equals else next(words, "")]
            else:
                kept.append(word)
        return tuple(kept)


def normalised(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return name.replace("_", "-").replace(".", "-").lower()
