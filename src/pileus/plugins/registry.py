"""Finds the plugins that a service names, and registers them with pluggy in their order."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path as FilePath
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

from ..service.errors import ConfigError, ConfigErrors
from ..service.extensions import Configuration, Opened
from ..service.tree import Json, Path
from . import ENTRY_POINTS, LOCAL_FILE, hookspecs
from .names import BUILT_IN, LOST, NEEDLESS

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Registry:
    """The plugins of one load. `unknown` are the names in `plugins:` that nothing here stands for, with their places."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("pileus")
        self._manager.add_hookspecs(hookspecs)
        self.unknown: dict[str, Path] = {}
        self.needless: dict[str, Path] = {}
        self.files: list[FilePath] = []

    @classmethod
    def of(cls, opened: Opened) -> Registry:
        registry = cls()
        stands_for = registry._local(opened)
        plugins: list[tuple[str, Any]] = []
        modules: set[str] = set()
        installed: dict[str, EntryPoint] | None = None
        for path, name in _named(opened.plugins):
            if name in stands_for or name in registry.unknown:
                continue
            if name in BUILT_IN:
                if BUILT_IN[name] not in modules:
                    modules.add(BUILT_IN[name])
                    plugins.append((name, import_module(f".{BUILT_IN[name]}", __package__)))
                continue
            if installed is None:
                installed = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
            if name in installed:
                plugins.append((name, _loaded(opened, path, installed[name])))
            else:
                (registry.needless if name in NEEDLESS else registry.unknown)[name] = path
        for name, plugin in reversed(plugins):  # pluggy calls the last one first
            registry._register(plugin, name)
        return registry

    def call(self, hook: str, arguments: Mapping[str, Any]) -> list[Any]:
        """The answers of the plugins that have one, in the order of the plugins."""
        answers: list[Any] = getattr(self._manager.hook, hook)(**arguments)
        return answers

    def each(self, hook: str) -> Iterator[Callable[..., Any]]:
        """One callable a plugin, in order, each with the keyword arguments of the hook."""
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            yield _with_wanted(implementation.function, implementation.argnames)

    def warnings(self, configuration: Configuration) -> Iterator[ConfigError]:
        for name, path in self.needless.items():
            yield configuration.mistake(
                f"the plugin '{name}' is not needed: 'pileus offline' runs {NEEDLESS[name]} itself",
                path,
                "its settings under 'custom' are not read",
            )
        for name, path in self.unknown.items():
            yield _unknown(configuration, name, path)

    def _register(self, plugin: Any, name: str) -> None:
        if isinstance(plugin, ModuleType) and hasattr(plugin, "Plugin"):
            plugin = plugin.Plugin
        try:
            self._manager.register(plugin() if inspect.isclass(plugin) else plugin, name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            message = f"{name} does not fit the hooks of Pileus: {str(error).splitlines()[-1]}"
            raise ConfigErrors([ConfigError(message, hint="docs/plugins.md lists the hooks")]) from error

    def _local(self, opened: Opened) -> frozenset[str]:
        """Register the project's own file; the names that it stands for."""
        file = opened.directory / LOCAL_FILE
        if not file.is_file():
            return frozenset()
        self.files.append(file)
        spec = importlib.util.spec_from_file_location(f"_pileus_plugins_{abs(hash(file)):x}", file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.path.insert(0, str(opened.directory))
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise ConfigErrors([ConfigError(f"{LOCAL_FILE} cannot be run: {_told(error)}")]) from error
        finally:
            sys.path.remove(str(opened.directory))
        self._register(module, LOCAL_FILE)
        return frozenset(getattr(module, "STANDS_FOR", ()))


def entry_points(group: str) -> Iterable[EntryPoint]:
    from importlib import metadata  # a dozen modules, for names that are not built in

    return metadata.entry_points(group=group)


def built_in_schemas() -> list[Mapping[str, Json]]:
    """What the built-in plugins add to the schema."""
    manager = pluggy.PluginManager("pileus")
    manager.add_hookspecs(hookspecs)
    for module in sorted(set(BUILT_IN.values())):
        plugin: Any = import_module(f".{module}", __package__)
        manager.register(plugin.Plugin() if hasattr(plugin, "Plugin") else plugin, module)
    schemas: list[Mapping[str, Json]] = manager.hook.schema()
    return schemas


def _loaded(opened: Opened, path: Path, point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        message = f"the plugin '{point.name}' ({point.value}) cannot be imported: {_told(error)}"
        raise ConfigErrors([opened.mistake(message, path)]) from error


def _with_wanted(function: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    return lambda **arguments: function(*(arguments[name] for name in names))


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _named(plugins: Json) -> Iterator[tuple[Path, str]]:
    """The names of `plugins:`, a list or an object with `modules`, with their places."""
    path: Path = ("plugins",)
    if isinstance(plugins, dict):
        plugins, path = plugins.get("modules"), ("plugins", "modules")
    for position, name in enumerate(plugins if isinstance(plugins, list) else ()):
        if isinstance(name, str):
            yield (*path, position), name


def _unknown(configuration: Configuration, name: str, path: Path) -> ConfigError:
    local = _local_file(configuration, name)
    what = f"the plugin '{name}' is {'a local Node file' if local else 'a Node package'}"
    sections, remedy = LOST.get(name, ((), ""))
    written = [each for each in sections if configuration.get(*each.split(".")) is not None]
    if not sections:
        written = [f"custom.{key}" for key in configuration.get("custom") or {} if _belongs(key, name)]
    lost = f", with {' and '.join(written)}" if written else ""
    message = f"{what} that Pileus does not run and has no equivalent of: what it does is lost{lost}"
    hint = f"{remedy}; or write" if remedy else "its variables, events and properties do nothing here; write"
    return configuration.mistake(message, path, f"{hint} what it does in {LOCAL_FILE}, see docs/plugins.md")


def _local_file(configuration: Configuration, name: str) -> bool:
    if name.startswith((".", "/")):
        return True
    folder = configuration.get("plugins", "localPath")
    folder = folder if isinstance(folder, str) else ".serverless_plugins"
    if not re.fullmatch(r"[\w@./-]+", name):
        return False
    at = configuration.directory / folder / name
    return at.exists() or at.with_name(f"{at.name}.js").exists()


def _belongs(section: str, plugin: str) -> bool:
    """Whether a section of `custom` is named after a plugin, as most are: `s3Sync` after serverless-s3-sync."""
    word = re.sub(r"[^a-z0-9]", "", section.lower())
    whole = re.sub(r"[^a-z0-9]", "", plugin.lower())
    core = re.sub(r"serverless|plugin|sls", "", whole)
    return len(word) > 2 and (word in (whole, core) or (len(core) > 3 and (core in word or word in core)))
