"""Settings of serverless-offline under `custom` against options of the command line."""

from pathlib import Path
from typing import Any

import pytest

from pileus.cli.offline import OfflineOptions
from pileus.cli.options import ServiceOptions


def options(given: set[str]) -> OfflineOptions:
    return OfflineOptions(
        folder=Path(), service=ServiceOptions(), host="127.0.0.1", ports={"http_port": 3000, "lambda_port": 3002},
        state=None, python=None, prefixed=True, given=frozenset(given),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "given", "expected"),
    [
        ({}, set(), {"host": "127.0.0.1", "prefixed": True}),
        ({"host": "0.0.0.0", "bare": True}, set(), {"host": "0.0.0.0", "prefixed": False}),
        ({"host": "0.0.0.0", "bare": True}, {"host", "bare"}, {"host": "127.0.0.1", "prefixed": True}),
        ({"bare": False}, {"host"}, {"prefixed": True}),
        ({"http_port": 4000}, set(), {"ports": {"http_port": 4000, "lambda_port": 3002}}),
        ({"http_port": 4000}, {"http_port"}, {"ports": {"http_port": 3000, "lambda_port": 3002}}),
        # a port of the settings counts as named: it is a mistake, not a note, where somebody else has it
        ({"lambda_port": 4002}, set(), {"given": frozenset({"lambda_port"})}),
        ({"idle": 5, "local_environment": True}, set(), {"idle": 5, "local_environment": True}),
        ({"trust_tokens": True}, set(), {"trust_tokens": True}),
    ],
)
def test_the_command_line_wins(settings: dict[str, Any], given: set[str], expected: dict[str, Any]) -> None:
    after = options(given).with_defaults(settings)
    assert {name: getattr(after, name) for name in expected} == expected
