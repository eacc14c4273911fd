"""What the `plugins:` of serverless.yml stand for here: Python plugins over the hooks in `hookspecs`.

Names in `plugins:` are Node packages, which Pileus does not run. For a name there is, looked for in this order:
the project's own `pileus_plugins.py` beside serverless.yml, which names what it stands for (STANDS_FOR); a built-in
(`names.BUILT_IN`); a Python package that declares the name as an entry point in the group `pileus.plugins`. For the
rest there is one warning each that says what is lost.

A service without plugins costs one look for `pileus_plugins.py`: pluggy is imported for the first plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..package import PackagePlan
    from ..service import Service
    from ..service.extensions import Configuration, Opened, Purpose, Source
    from ..service.tree import Json
    from .hookspecs import hookimpl
    from .registry import Registry

__all__ = ["ENTRY_POINTS", "LOCAL_FILE", "Plugins", "hookimpl"]

ENTRY_POINTS = "pileus.plugins"
LOCAL_FILE = "pileus_plugins.py"


def __getattr__(name: str) -> Any:
    if name == "hookimpl":
        from .hookspecs import hookimpl

        return hookimpl
    raise AttributeError(name)


class Plugins:
    """The plugins of one load of one service (pileus.service.extensions.Extensions)."""

    def __init__(self, purpose: Purpose = "package") -> None:
        self.purpose = purpose
        self._options: dict[str, Json] = {}
        self._registry: Registry | None = None
        self._opened: Opened | None = None

    def open(self, opened: Opened) -> Mapping[str, str]:
        if not opened.plugins and not (opened.directory / LOCAL_FILE).is_file():
            return {}
        from .registry import Registry

        self._opened = opened
        self._registry = Registry.of(opened)
        variables: dict[str, str] = {}
        for found in self._call("environment", opened=opened):
            variables.update(found)
        return variables

    def sources(self) -> Mapping[str, Source]:
        sources: dict[str, Source] = {}
        for found in self._call("variable_sources", opened=self._opened):
            sources.update(found)
        return sources

    def schema(self) -> Sequence[Mapping[str, Json]]:
        return self._call("schema")

    def unknown(self) -> Sequence[str]:
        return () if self._registry is None else tuple(self._registry.unknown)

    def configure(self, configuration: Configuration) -> None:
        if self._registry is None:
            return
        configuration.warnings.extend(self._registry.warnings(configuration))
        self._call("configure", configuration=configuration, purpose=self.purpose)
        if self.purpose == "offline":
            for options in self._call("offline_options", configuration=configuration):
                self._options.update(options)

    def offline_options(self) -> Mapping[str, Json]:
        return self._options

    def files(self) -> Sequence[FilePath]:
        return () if self._registry is None else self._registry.files

    def compiled(self, compilation: Any) -> None:
        self._call("compiled", compilation=compilation, purpose=self.purpose)
        if compilation.errors:
            from ..service.errors import ConfigErrors

            raise ConfigErrors(compilation.errors)

    def finished(self, service: Service, template: dict[str, Json]) -> None:
        self._call("finished", service=service, template=template, purpose=self.purpose)

    def replaced(self, service: Service) -> Sequence[str]:
        return [key for keys in self._call("replaced", service=service) for key in keys]

    def built(self, service: Service) -> Mapping[str, Any]:
        return {
            key: build for builds in self._call("built", service=service) for key, build in builds.items()
        }

    def packaged(self, plan: PackagePlan, progress: Callable[[str], None]) -> PackagePlan:
        if self._registry is not None:
            for change in self._registry.each("packaged"):
                plan = change(plan=plan, progress=progress) or plan
        return plan

    def stage_settings(self, service: Service) -> Sequence[Mapping[str, str]]:
        return [patch for patches in self._call("stage_settings", service=service) for patch in patches]

    def _call(self, hook: str, **arguments: Any) -> list[Any]:
        """The answers of the plugins that have one, in the order of the plugins."""
        return [] if self._registry is None else self._registry.call(hook, arguments)
