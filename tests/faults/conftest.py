"""Fixtures of the tests that kill, abuse and load a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from .processes import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    """A state folder of this test's own."""
    return State(tmp_path)
