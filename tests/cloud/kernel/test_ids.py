"""Identifiers: AWS's shapes, repeatable from a seed, apart without one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from pileus.cloud.kernel import Ids

SHAPES: list[tuple[str, Callable[[Ids], Any], str]] = [
    ("uuid", lambda ids: ids.uuid(), r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    ("hex", lambda ids: ids.hex(32), r"[0-9a-f]{32}"),
    ("hex, odd", lambda ids: ids.hex(17), r"[0-9a-f]{17}"),
    ("lower", lambda ids: ids.lower(10), r"[a-z0-9]{10}"),
    ("upper", lambda ids: ids.upper(12), r"[A-Z0-9]{12}"),
    ("mixed", lambda ids: ids.mixed(32), r"[A-Za-z0-9]{32}"),
    ("secret", lambda ids: ids.secret(40), r"[A-Za-z0-9+/]{40}"),
    ("sequence", lambda ids: str(ids.sequence()), r"\d{1,19}"),
]


@pytest.mark.parametrize(("make", "pattern"), [case[1:] for case in SHAPES], ids=[case[0] for case in SHAPES])
def test_shapes(make: Callable[[Ids], Any], pattern: str) -> None:
    for seed in range(50):
        assert re.fullmatch(pattern, make(Ids(seed)))
    assert make(Ids(1)) == make(Ids(1))
    assert make(Ids(1)) != make(Ids(2))
    assert make(Ids()) != make(Ids())


def test_bytes() -> None:
    assert len(Ids().bytes(33)) == 33
    assert Ids(3).bytes(8) == Ids(3).bytes(8)


def test_one_source_does_not_repeat_itself() -> None:
    ids = Ids(7)
    assert len({ids.uuid() for _ in range(10_000)}) == 10_000
