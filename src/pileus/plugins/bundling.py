"""serverless-esbuild, and what stands for it: serverless-webpack, serverless-bundle and serverless-plugin-typescript.

All of them bundle with the project's own esbuild. A webpack configuration is a program, so of that only what has a
counterpart is taken; what is lost is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from ..service import ConfigErrors, Function, Service
from ..service.extensions import Configuration, Opened, Purpose
from ..service.tree import Json, Path, get
from .hookspecs import hookimpl

if TYPE_CHECKING:
    from ..package import ArtifactPlan, FileSource, PackagePlan
    from ..package.bundle import Build, Bundled, Settings

_ESBUILD: Path = ("custom", "esbuild")
_WEBPACK: Path = ("custom", "webpack")
_BUNDLE: Path = ("custom", "bundle")
_TYPESCRIPT: Path = ("custom", "serverlessPluginTypescript")
_SECTIONS = {
    "serverless-esbuild": _ESBUILD,
    "serverless-webpack": _WEBPACK,
    "serverless-bundle": _BUNDLE,
    "serverless-plugin-typescript": _TYPESCRIPT,
}
#: Settings of serverless-bundle that have no counterpart, when they are set.
_NOT_TAKEN = ("copyFiles", "fixPackages", "ignorePackages", "rawFileExtensions", "excludeFiles")


class Plugin:
    def __init__(self) -> None:
        self._section: Path = _ESBUILD

    @hookimpl
    def environment(self, opened: Opened) -> None:
        """Which of the plugins it is: the first that is named."""
        named = opened.plugins.get("modules") if isinstance(opened.plugins, dict) else opened.plugins
        self._section = next(_SECTIONS[name] for name in named or () if name in _SECTIONS)

    @hookimpl
    def schema(self) -> dict[str, Json]:
        anything = {"type": "object"}
        return {
            "custom": {
                "esbuild": anything,
                "webpack": {"anyOf": [anything, {"type": "string"}]},
                "bundle": anything,
                "serverlessPluginTypescript": anything,
            },
            "function": {
                "skipEsbuild": {"type": "boolean"},
                "esbuildEntrypoint": {"type": "string"},
                "disposeContext": {"type": "boolean"},
                "entrypoint": {"type": "string"},
            },
        }

    @hookimpl
    def configure(self, configuration: Configuration, purpose: Purpose) -> None:
        if purpose != "package":
            return
        for path, message, hint in _lost(configuration, self._section):
            configuration.warn(message, path, hint, key=len(path) > 1)

    @hookimpl
    def replaced(self, service: Service) -> list[str]:
        from ..package.bundle import is_bundled

        if not _is_node_project(service):
            return []
        return [function.key for function in service.functions.values() if is_bundled(service, function)]

    @hookimpl
    def built(self, service: Service) -> Mapping[str, Build]:
        from ..package.bundle import builds, is_bundled

        wanted = [function for function in service.functions.values() if is_bundled(service, function)]
        if not wanted or not _is_node_project(service):
            return {}
        return builds(service, wanted, self._settings(service))

    @hookimpl
    def packaged(self, plan: PackagePlan, progress: Callable[[str], None]) -> PackagePlan:
        from ..package.bundle import bundle, is_bundled

        service = plan.service
        wanted = [function for function in service.functions.values() if is_bundled(service, function)]
        settings = self._settings(service)
        for warning in settings.warnings:
            progress(f"warning: {warning}")
        if not wanted:
            return plan
        if not _is_node_project(service):
            progress(
                "warning: there is neither package.json nor node_modules, so no esbuild that could bundle: "
                "the functions are packaged as they are"
            )
            return plan
        progress(f"Bundling {len(wanted)} functions with esbuild")
        bundled = bundle(service, wanted, settings)
        return plan.replacing(
            {
                artifact.target: _files(plan, artifact, bundled)
                for artifact in plan.artifacts
                if any(key in bundled for key in artifact.functions)
            }
        )

    def _settings(self, service: Service) -> Settings:
        from ..package.bundle import esbuild_settings

        written = get(service.config, *self._section)
        written = written if isinstance(written, dict) else {}
        return esbuild_settings(service, _esbuild_options(self._section, written), self._section)


def _is_node_project(service: Service) -> bool:
    """Whether esbuild can be expected at all, in the folder of the service or one above it."""
    folder = service.directory.resolve()
    return any(
        (each / name).exists()
        for each in (folder, *folder.parents)
        for name in ("package.json", "node_modules")
    )


def _files(plan: PackagePlan, artifact: ArtifactPlan, bundled: Mapping[str, Bundled]) -> list[FileSource]:
    """The bundles of an artifact's functions, and the project's files that its patterns ask for.

    Where a function of another runtime shares the archive, the project's files stay in it.
    """
    functions = [plan.service.functions[key] for key in artifact.functions]
    alone = all(function.key in bundled or function.get("skipEsbuild") for function in functions)
    kept = _named(plan.service, functions, artifact.target.kind.value) if alone else artifact.files
    files = {file.path: file for file in kept}
    for function in functions:
        own = bundled[function.key].files if function.key in bundled else _as_it_is(artifact, function)
        files.update({file.path: file for file in own})
    return list(files.values())


def _named(service: Service, functions: list[Function], kind: str) -> list[FileSource]:
    """The files that `package.patterns` names: nothing is taken that is not."""
    from ..package import FileSource
    from ..package.selection import Rules, Tree

    places = [get(service.config, "package"), *(f.get("package") for f in functions if kind == "function")]
    patterns = [
        str(pattern)
        for place in places
        for key in ("include", "patterns")
        for pattern in get(place, key) or ()
    ]
    if not any(not pattern.startswith("!") for pattern in patterns):
        return []
    found = Tree(service.directory).select(Rules(patterns=("!**", *patterns)))
    return [FileSource.of_file(file.path, service.directory / file.path) for file in found]


def _as_it_is(artifact: ArtifactPlan, function: Function) -> list[FileSource]:
    """The handler of a function that is not bundled though its archive is that of bundled ones."""
    stem = str(function.get("handler")).rpartition(".")[0].removeprefix("./")
    return [file for file in artifact.files if file.path.rpartition(".")[0] == stem]


def _esbuild_options(section: Path, written: Mapping[str, Json]) -> dict[str, Json]:
    """esbuild's options for what a section says."""
    if section == _ESBUILD:
        return dict(written)
    if section == _TYPESCRIPT:
        # The plugin compiles and leaves packages as they are.
        config = written.get("tsConfigFileLocation")
        return {"packages": "external", "sourcemap": True, **({"tsconfig": config} if config else {})}
    modules = written.get("includeModules")
    modules = modules if isinstance(modules, dict) else {}
    forced = written.get("forceInclude") or modules.get("forceInclude") or []
    outside = written.get("externals") or []
    options: dict[str, Json] = {
        "sourcemap": written.get("sourcemaps") is not False,
        "external": [*forced, *(outside if isinstance(outside, list) else [])],
        "exclude": ["aws-sdk", *(written.get("forceExclude") or modules.get("forceExclude") or [])],
    }
    if outside == "all":
        options["packages"] = "external"
    if written.get("tsConfig"):
        options["tsconfig"] = written["tsConfig"]
    aliases = written.get("aliases")
    if isinstance(aliases, list):
        options["alias"] = {key: value for each in aliases for key, value in each.items()}
    return options


def _lost(configuration: Configuration, section: Path) -> Iterator[tuple[Path, str, str | None]]:
    settings = configuration.get(*section)
    if section == _WEBPACK:
        config = (
            settings.get("webpackConfig", "webpack.config.js") if isinstance(settings, dict) else settings
        )
        yield (
            section if settings is not None else ("plugins",),
            f"{config or 'webpack.config.js'} is a program for webpack and is not run: functions are bundled with esbuild; "
            "its loaders, plugins, aliases and externals are lost",
            "write what counts under custom.esbuild, with the plugin serverless-esbuild",
        )
    elif section == _BUNDLE and isinstance(settings, dict):
        for name in _NOT_TAKEN:
            if settings.get(name):
                yield (
                    (*section, name),
                    f"'{name}' of serverless-bundle has no effect",
                    "package.patterns adds files",
                )
    elif section == _ESBUILD and settings is not None and not isinstance(settings, dict):
        mistake = configuration.mistake("custom.esbuild must be an object of options", section)
        raise ConfigErrors([mistake])
