"""`pileus generate-event`: an event as AWS sends it, to call a function with."""

from __future__ import annotations

from typing import Any

import click

from ..failure import UserError
from ..options import once, pairs
from ..ui import Ui


@click.command(name="generate-event", short_help="Print an event as AWS sends it, for 'invoke'.")
@click.argument("kind", required=False, metavar="[TYPE]")
@once("--type", "-t", "named", metavar="TYPE", help="The type, in v3's spelling too: aws:sqs.")
@once("--body", "-b", metavar="TEXT", help="What the event carries: the message, body, detail, data or item.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    callback=pairs,
    metavar="NAME=VALUE",
    help="Another value in it. Repeatable.",
)
@once("--region", "-r", metavar="TEXT", help="Region that it comes from; us-east-1 by default.")
def command(
    kind: str | None, named: str | None, body: str | None, settings: dict[str, str], region: str | None
) -> None:
    """Print an event of TYPE as AWS sends it to functions, as JSON.

    Without TYPE, the types are listed, with the names that --set takes.

    pileus generate-event sqs --body '{"order": 1}' | pileus invoke local -f NAME
    """
    if kind and named:
        raise UserError("the type is given twice.", hint="leave out --type.")
    if not (kind or named):
        _list(Ui.stdout())
        return
    Ui.stdout().line(_text(made_event(kind or named or "", body, settings, region or "us-east-1")))


def made_event(kind: str, body: str | None, settings: dict[str, str], region: str) -> Any:
    """The event. Raises UserError for a type or a setting that does not exist."""
    from ..sample_events import UnknownEvent, sample_event

    try:
        event = sample_event(kind)
        given = {**({event.body: body} if body is not None else {}), **settings}
        return event.make(given, region=region)
    except UnknownEvent as error:
        raise UserError(str(error), hint="'pileus generate-event' lists all.") from None
    except ValueError as error:
        raise UserError(f"a value does not fit the event '{kind}': {error}.") from None


def _text(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)


def _list(ui: Ui) -> None:
    from ..sample_events import all_events

    for event in all_events():
        ui.line(f"{ui.style(event.name, 'bold')}  {event.about}")
        ui.paragraphs(
            [
                (
                    name + (" (--body)" if name == event.body else ""),
                    f"{about} [{default}]" if default else about,
                )
                for name, (default, about) in event.settings.items()
            ]
        )
