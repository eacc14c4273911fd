"""What `invoke` and `invoke local` share: the options with the event and the context, and where they come from."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .failure import UserError
from .options import ServiceOptions, once

if TYPE_CHECKING:
    from ..deploy.invoke import Place
    from ..service import Function, Service
    from .ui import Ui

#: A function failed, or could not be called.
FAILED = 1


@dataclass(frozen=True, slots=True)
class Given:
    """The options with what the function gets. raw: `data` and `context` are texts, even where they are JSON."""

    data: str | None
    path: str | None
    raw: bool
    event: str | None
    context: str | None
    context_path: str | None

    def payload(self, region: str) -> Any:
        """The event: `--event`, which carries the data; else `--data`, the file of `--path`, or standard input where
        that is not a terminal; else an empty object."""
        if self.event is not None:
            from .commands.generate_event import made_event

            return made_event(self.event, self._text(), {}, region)
        if self.data is not None:
            return self.data if self.raw else _parsed(self.data)
        if self.path is not None:
            return _read(self.path, "--path")
        text = _piped()
        if not text:
            return {}
        return text if self.raw else _parsed(text)

    def client_context(self) -> Any:
        if self.context is not None:
            return self.context if self.raw else _parsed(self.context)
        return None if self.context_path is None else _read(self.context_path, "--contextPath")

    def _text(self) -> str | None:
        """What the generated event is to carry."""
        if self.data is not None or self.path is None:
            return self.data if self.data is not None else (_piped() or None)
        return _text_of(self.path, "--path")


def event_options(short_context: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """v3's options with the event. short_context: whether -x stands for --contextPath."""
    context_path = ("--contextPath", "--context-path", *(("-x",) if short_context else ()))
    found = (
        once("--data", "-d", metavar="TEXT", help="The event: JSON, or a text."),
        once("--path", "-p", metavar="FILE", help="A JSON or YAML file with the event."),
        click.option(
            "--raw", is_flag=True, help="Take --data and --context for texts, even if they are JSON."
        ),
        once("--event", metavar="TYPE", help="An event of AWS that carries the data: see generate-event."),
        once("--context", metavar="TEXT", help="The client context, as JSON."),
        once(
            *context_path, "context_path", metavar="FILE", help="A JSON or YAML file with the client context."
        ),
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(found):
            command = option(command)
        return command

    return decorate


def function_of(service: Service, key: str) -> Function:
    """The function by its name in serverless.yml. Raises UserError."""
    if key in service.functions:
        return service.functions[key]
    from ..service.errors import did_you_mean

    names = list(service.functions)
    listed = f"there are {', '.join(names)}" if names else "there is none"
    raise UserError(f"there is no function '{key}' in this service.", hint=did_you_mean(key, names) or listed)


def chosen_place(service: ServiceOptions, ui: Ui) -> Place:
    """Where the function is. What asks that cloud from here on, variables too, finds an offline that runs here."""
    from ..deploy.invoke import place

    where = place(Path.cwd(), service.given.get("stage"), profile=service.profile)
    if where.offline and where.endpoint:
        from ..cloud.kernel.settings import ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY

        os.environ.update(
            AWS_ENDPOINT_URL=where.endpoint,
            AWS_ACCESS_KEY_ID=ROOT_ACCESS_KEY_ID,
            AWS_SECRET_ACCESS_KEY=ROOT_SECRET_ACCESS_KEY,
        )
        for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE"):
            os.environ.pop(name, None)
        ui.line(ui.style(f"with the service that 'pileus offline' runs here, {where.endpoint}", "dim"))
    return where


def tell_answer(payload: bytes, *, error: bool) -> None:
    """Prints what the function returned, as JSON, and ends with exit code 1 for an error."""
    import json

    from .ui import Ui

    try:
        text = json.dumps(json.loads(payload), indent=4, ensure_ascii=False) if payload else ""
    except ValueError:
        text = payload.decode("utf-8", "replace")
    if text:
        Ui.stdout().line(text)
    if error:
        sys.exit(FAILED)


def _piped() -> str:
    """Standard input, where something is piped into it."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):
        return ""
    if stat.S_ISCHR(mode):  # a terminal, or /dev/null
        return ""
    return sys.stdin.read().strip()


def _parsed(text: str) -> Any:
    """JSON where it is such, else the text itself, as v3 does."""
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text


def _read(path: str, option: str) -> Any:
    text = _text_of(path, option)
    if Path(path).suffix in (".yml", ".yaml"):
        import yaml

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UserError(f"{path} is not valid YAML: {error}") from None
    import json

    try:
        return json.loads(text)
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON: {error}.", hint="YAML files end in .yml.") from None


def _text_of(path: str, option: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}.", hint=f"{option} names a file.") from None
