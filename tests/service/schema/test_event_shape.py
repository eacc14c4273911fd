"""The form of an event: one type, with settings, and what stands beside it (as v3 3.40.0 warned, observed)."""

import pytest

from pileus.service.schema import Validator
from pileus.service.tree import Json


@pytest.mark.parametrize(
    ("event", "message", "hint"),
    [
        ({}, "no event with settings stands here", None),
        (
            {"http": "GET /a", "cors": True},
            "unknown event 'cors'",
            "indent it further if it belongs to 'http'",
        ),
        (
            {"http": "GET /a", "sqs": "arn:aws:sqs:us-east-1:123456789012:q"},
            "'http' stands here already",
            "write '- sqs:'",
        ),
        ({"schedul": "rate(1 hour)"}, "unknown event 'schedul'", "did you mean 'schedule'?"),
    ],
)
def test_an_event_is_one_type_with_settings(event: dict[str, Json], message: str, hint: str | None) -> None:
    mistakes = Validator().check({"event": event}["event"], "function.json#event")
    assert [(mistake.message, mistake.hint) for mistake in mistakes] == [(message, hint)]
