"""Every hook of Pileus. A plugin implements those that it needs and leaves out the rest, and of a hook's arguments those
that it needs:

    from pileus.plugins import hookimpl

    @hookimpl
    def configure(configuration):
        configuration.config["provider"].setdefault("environment", {})["TEAM"] = "cats"

Of each load of a service, the hooks of reading are called once, in the order in which they stand here; those of compiling
and packaging as often as that is done, so they must not count on being called once. Plugins are called in the order of
`plugins:` in serverless.yml.
A plugin tells a mistake in the user's file by raising ConfigErrors([configuration.mistake(…)]), a warning by
`configuration.warn(…)`. docs/plugins.md shows a whole plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pluggy

from ..service.extensions import Configuration, Opened, Purpose, Source
from ..service.tree import Json

if TYPE_CHECKING:
    from ..compile.compilation import Compilation
    from ..package import PackagePlan
    from ..package.bundle import Build
    from ..service import Service

hookspec = pluggy.HookspecMarker("pileus")
hookimpl = pluggy.HookimplMarker("pileus")


@hookspec
def environment(opened: Opened) -> Mapping[str, str] | None:
    """Environment variables that ${env:} sees, over those of the process. Variables of serverless.yml are not resolved
    yet: `opened.config` is the text as it was written."""


@hookspec
def variable_sources(opened: Opened) -> Mapping[str, Source] | None:
    """Sources of variables by type: `{"vault": read}` answers ${vault:some.address}.

    A source is called with a Request (type, params, address, text) and a Scope, and gives a value; None means that
    there is none, so that the fallback is taken. A VariableError refuses whatever the fallback.
    """


@hookspec
def schema() -> Mapping[str, Mapping[str, Json]] | None:
    """What may stand in serverless.yml because of this plugin: JSON Schemas of properties by the place they stand at.

    Places: `service` (the top), `custom`, `provider`, `function`, `layer`, `event` (new kinds of event), and
    `event.http` (or any other kind) for properties of an event. Values are coerced as the rest of the file is.
    """


@hookspec
def configure(configuration: Configuration, purpose: Purpose) -> None:
    """Change the configuration, resolved and validated, before it is compiled. What is added must be complete: a new
    function has `name` and `events`. purpose: `package`, `offline`, or `print`, which shows the user's own file."""


@hookspec
def offline_options(configuration: Configuration) -> Mapping[str, Json] | None:
    """Defaults for options of `pileus offline` by their names with underscores (`http_port`); the command line wins."""


@hookspec
def compiled(compilation: Compilation, purpose: Purpose) -> None:
    """Change what was compiled from functions and events: resources, outputs, the statements of the shared role. The
    user's own `resources` are laid over it afterwards. `compilation.mistake(…)` refuses."""


@hookspec
def finished(service: Service, template: dict[str, Json], purpose: Purpose) -> None:
    """Change the template in its last form."""


@hookspec
def replaced(service: Service) -> list[str] | None:
    """Keys of functions of whose archives `packaged` replaces all files, so that the project's are not looked for."""


@hookspec
def built(service: Service) -> Mapping[str, Build] | None:
    """How functions are built ahead of running in `pileus offline`, by their keys: a source, arguments of esbuild."""


@hookspec
def packaged(plan: PackagePlan, progress: Callable[[str], None]) -> PackagePlan | None:
    """Change what the archives hold: return `plan.adding(…)` or `plan.replacing(…)`. Each plugin gets the plan that
    the one before it left. progress: tells the user what takes a while."""


@hookspec
def stage_settings(service: Service) -> list[dict[str, str]] | None:
    """Patch operations for UpdateStage, sent for the stage of the service's REST API after each deployment."""
