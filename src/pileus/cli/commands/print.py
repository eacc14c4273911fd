"""`pileus print`: the configuration as it is after variables, params and defaults."""

from __future__ import annotations

from typing import Any

import click

from ..failure import UserError, mistakes_told, warn
from ..options import ServiceOptions, once, service_options
from ..ui import Ui


def _one_of(choices: str) -> dict[str, Any]:
    return {"type": click.Choice(choices.split()), "metavar": f"[{'|'.join(choices.split())}]"}


@click.command(name="print", short_help="Print the resolved configuration.")
@once("--format", "form", help="Format of the output; yaml by default.", **_one_of("yaml json text"))
@once("--path", metavar="PATH", help="A value inside, its keys with dots between: provider.name.")
@once("--transform", help="'keys' prints the names of what the value has.", **_one_of("keys"))
@service_options
def command(service: ServiceOptions, form: str | None, path: str | None, transform: str | None) -> None:
    """Print the configuration as it is after variables, params and defaults.

    The text is the one that 'serverless print' writes.
    """
    from ...service.shown import shown

    project = service.project(format=form, path=path, transform=transform)
    with mistakes_told():
        loaded = project.load(purpose="print")
    warn(loaded.warnings)
    value: Any = shown(loaded.service)
    if path is not None:
        value = _inside(value, path)
    if transform == "keys":
        value = _names(value)
    Ui.stdout().line(_text(value, form or "yaml"))


def _inside(value: Any, path: str) -> Any:
    for key in path.split("."):
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            value = None
        if value is None:
            raise UserError(
                f"the configuration has no '{path}'.", hint="'pileus print' shows all that it has."
            )
    return value


def _names(value: Any) -> list[str]:
    """As JavaScript's Object.keys: of a list and of a text, the positions."""
    if isinstance(value, dict):
        return list(value)
    return [str(position) for position in range(len(value))] if isinstance(value, (list, str)) else []


def _text(value: Any, form: str) -> str:
    if form == "json":
        return _json(value)
    if form == "text":
        return _plain(value)
    from ..yaml_text import yaml_text

    return yaml_text(value).removesuffix("\n")


def _json(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)


def _plain(value: Any) -> str:
    """A scalar, or the entries of a list one a line."""
    if isinstance(value, dict):
        raise UserError(
            "an object can't be printed as text.",
            hint="name a value in it with --path, or use --format json.",
        )
    if isinstance(value, list):
        return "\n".join(_json(entry) if isinstance(entry, dict) else _word(entry) for entry in value)
    return _word(value)


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_word(entry) for entry in value)
    return value if isinstance(value, str) else _json(value)
