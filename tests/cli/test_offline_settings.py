"""Settings of serverless-offline under `custom` against options of the command line."""

from pathlib import Path
from typing import Any

import pytest

from pileus.cli.offline import OfflineOptions
from pileus.cli.options import ServiceOptions

NAMES = ("host", "http_port", "prefixed")


@pytest.mark.parametrize(
    ("settings", "given", "expected"),
    [
        ({}, set(), ("127.0.0.1", 3000, True)),
        ({"host": "0.0.0.0", "http_port": 4000, "bare": True}, set(), ("0.0.0.0", 4000, False)),
        (
            {"host": "0.0.0.0", "http_port": 4000, "bare": True},
            {"host", "http_port", "bare"},
            ("127.0.0.1", 3000, True),
        ),
        ({"http_port": 4000, "bare": False}, {"host"}, ("127.0.0.1", 4000, True)),
    ],
)
def test_the_command_line_wins(settings: dict[str, Any], given: set[str], expected: tuple[Any, ...]) -> None:
    options = OfflineOptions(
        folder=Path(), service=ServiceOptions(), host="127.0.0.1", http_port=3000, port=4566, state=None,
        python=None, prefixed=True, given=frozenset(given),
    )  # fmt: skip
    after = options.with_defaults(settings)
    assert tuple(getattr(after, name) for name in NAMES) == expected
