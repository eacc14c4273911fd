"""The folder with a serverless.yml, as one command sees it: load, compile, package. Every command goes through here, so
that what `package` writes, `print` shows, `offline` runs and `deploy` sends is the same. What a command does not need is not
imported: `print` neither compiles nor packages."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ..plugins import Plugins
from ..service import ConfigError, ConfigErrors, LoadedService, RemoteResolver, Service, load_service
from .output_folder import check_replaceable, replacing, sweep

if TYPE_CHECKING:
    from ..compile import Artifacts, CompiledTemplates
    from ..package import Built, PackagePlan
    from ..service.extensions import Purpose
    from ..service.loader import ValidationMode

#: What lies in a package's folder, by name; what else lies there did not come from here.
OURS = ("*.zip", "cloudformation-template-*-stack.json", "serverless-state.json")
_FRAMEWORKS_OWN = ".serverless"


@dataclass(frozen=True, slots=True)
class Packaged:
    """What `package` wrote to the folder `out`, and what is doubtful about it."""

    out: Path
    templates: CompiledTemplates
    built: Built
    warnings: tuple[ConfigError, ...]


class Project:
    """A service's folder with the options of a command.

    options, params: as on the command line. environ: what ${env:} sees; this process's by default. config_name: of the
    configuration, when it is not found by itself. resolver: answers for variables that ask a cloud.
    All methods raise ConfigErrors for what is wrong with the service.
    """

    def __init__(
        self,
        folder: Path,
        *,
        options: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        config_name: str | None = None,
        resolver: RemoteResolver | None = None,
    ) -> None:
        self.folder = folder
        self.options = options
        self.params = params or {}
        self.environ = os.environ if environ is None else environ
        self.config_name = config_name
        self.resolver = resolver

    def load(self, validation: ValidationMode | None = None, purpose: Purpose = "package") -> LoadedService:
        """Reads and checks the service. validation: instead of what its `configValidationMode` says. purpose: plugins
        add to it what that needs."""
        return load_service(
            self.folder,
            options=self.options,
            params=self.params,
            environ=self.environ,
            config_name=self.config_name,
            resolver=self.resolver,
            validation=validation,
            extensions=Plugins(purpose),
        )

    def compile(self, service: Service, artifacts: Artifacts) -> CompiledTemplates:
        """The templates of the service with these packages of its code."""
        from ..compile import compile_service

        return compile_service(service, artifacts)

    def check(self, service: Service, out: Path | None = None) -> PackagePlan:
        """The plan of the service's package, when both that and the templates can be made. Nothing is written.

        out: a folder of earlier output, which is not to be packed.
        """
        from ..compile import Artifacts
        from ..package import plan_package, with_custom_resources

        mistakes: list[ConfigError] = []
        plan: PackagePlan | None = None
        try:
            replaced = () if service.extensions is None else service.extensions.replaced(service)
            plan = plan_package(service, out=out, replaced=replaced)
        except ConfigErrors as error:
            mistakes += error.errors
        try:
            templates = self.compile(service, Artifacts.synthetic(service, int(service.instance)))
            if plan is not None:
                plan = with_custom_resources(plan, templates.update_stack)
        except ConfigErrors as error:
            mistakes += [each for each in error.errors if each not in mistakes]
        if mistakes or plan is None:
            raise ConfigErrors(mistakes)
        return plan

    def package(
        self,
        service: Service,
        out: Path,
        progress: Callable[[str], None] = lambda text: None,
        *,
        minified: bool = False,
    ) -> Packaged:
        """Writes the archives, both templates and serverless-state.json to `out`, all of them or nothing.

        minified: templates without spaces. Raises NotReplaceable when something else lies in `out`.
        """
        from ..package import build_package, state

        out = out.resolve()
        if out.name != _FRAMEWORKS_OWN:
            check_replaceable(out, OURS)
        sweep(out)
        plan = self.check(service, out)
        if service.extensions is not None:
            plan = service.extensions.packaged(plan, progress)
        with replacing(out) as made:
            built = build_package(plan, made, at_ms=int(service.instance), progress=progress)
            templates = self.compile(service, built.artifacts)
            kept = {file.file.name for file in built.files if file.file.parent == made}
            for entry in made.iterdir():
                if entry.name not in kept:
                    entry.unlink()
            written = {
                "cloudformation-template-create-stack.json": templates.create_stack,
                "cloudformation-template-update-stack.json": templates.update_stack,
            }
            for name, template in written.items():
                if template is not None:
                    (made / name).write_bytes(_json(template, minified=minified))
            (made / "serverless-state.json").write_bytes(_json(state(service, templates, built)))
        files = (
            replace(each, file=out / each.file.name) if each.file.parent == made else each
            for each in built.files
        )
        return Packaged(out, templates, replace(built, files=tuple(files)), plan.warnings)


def _json(value: Any, *, minified: bool = False) -> bytes:
    try:
        return orjson.dumps(value, option=0 if minified else orjson.OPT_INDENT_2)
    except TypeError:  # an integer of more than 64 bits, or half of a surrogate pair
        import json

        return json.dumps(value, indent=None if minified else 2).encode()
