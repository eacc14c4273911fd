"""YAML as js-yaml writes it (observed with `serverless print` of 3.40.0), and as any reader of YAML takes it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from pileus.cli.yaml_text import yaml_text
from pileus.service import document

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "cases"

SCALARS = [
    ("plain", "plain"),
    ("a:b", "a:b"),
    ("a#b", "a#b"),
    ("1_000", "1_000"),
    ("", "''"),
    ("012", "'012'"),
    ("yes", "'yes'"),
    ("y", "'y'"),
    ("No", "'No'"),
    ("off", "'off'"),
    ("true", "'true'"),
    ("null", "'null'"),
    ("~", "'~'"),
    ("0x10", "'0x10'"),
    ("0b11", "'0b11'"),
    ("0o14", "'0o14'"),
    ("1e3", "'1e3'"),
    (".5", "'.5'"),
    ("+1", "'+1'"),
    (".inf", "'.inf'"),
    (".nan", "'.nan'"),
    ("190:20:30", "'190:20:30'"),
    ("2012-10-17", "'2012-10-17'"),
    ("2001-12-14t21:59:43.10-05:00", "'2001-12-14t21:59:43.10-05:00'"),
    ("<<", "'<<'"),
    ("=", "'='"),
    ("*x", "'*x'"),
    ("#x", "'#x'"),
    ("- a", "'- a'"),
    ("%a", "'%a'"),
    (" lead", "' lead'"),
    ("trail ", "'trail '"),
    ("a: b", "'a: b'"),
    ("a:", "'a:'"),
    ("a #b", "'a #b'"),
    ("it's", "it's"),
    ("'x'", "'''x'''"),
    ('say "x"', 'say "x"'),
    ("a\tb", '"a\\tb"'),
    ("\x07", '"\\a"'),
    ("ü€😀", "ü€😀"),
    ("\u2028", '"\\L"'),
    (1, "1"),
    (1.5, "1.5"),
    (2.0, "2"),
    (1e21, "1e+21"),
    (1e-7, "1.e-7"),
    (True, "true"),
    (None, "null"),
    ([], "[]"),
    ({}, "{}"),
]


@pytest.mark.parametrize(("value", "text"), SCALARS, ids=[repr(value) for value, _ in SCALARS])
def test_scalars(value: Any, text: str) -> None:
    assert yaml_text({"k": value}) == f"k: {text}\n"


TEXTS = [
    ("a\nb\n", "k: |\n  a\n  b\n"),
    ("a\n\nb", "k: |-\n  a\n\n  b\n"),
    ("a\n\n", "k: |+\n  a\n\n"),
    ("  a\nb", "k: |2-\n    a\n  b\n"),
    ("x" * 30 + " " + "y" * 60, f"k: >-\n  {'x' * 30}\n  {'y' * 60}\n"),
    ("x" * 90 + "\nz", f"k: >-\n  {'x' * 90}\n\n  z\n"),
]


@pytest.mark.parametrize(("value", "text"), TEXTS)
def test_texts_of_lines(value: str, text: str) -> None:
    assert yaml_text({"k": value}) == text


def test_nesting() -> None:
    value = {"list": ["a", ["b", "c"], {"k": "v", "l": [1]}, []], "012": {"a b": {"": None}}}
    assert yaml_text(value) == textwrap.dedent("""\
        list:
          - a
          - - b
            - c
          - k: v
            l:
              - 1
          - []
        '012':
          a b:
            '': null
        """)


def test_a_key_that_is_too_long_for_one_line() -> None:
    assert yaml_text([{"x" * 1100: [1], "b": 2}]) == f"- ? {'x' * 1100}\n  :\n    - 1\n  b: 2\n"


@pytest.mark.parametrize("name", sorted(path.parent.name for path in GOLDEN.glob("*/print.yml")) or [None])
def test_what_the_framework_printed_is_printed_the_same(name: str | None) -> None:
    if name is None:
        pytest.skip(f"no golden data at {GOLDEN}")
    file = GOLDEN / name / "print.yml"
    assert yaml_text(document.read(file).value).rstrip() == file.read_text().rstrip()


texts = some.text(some.characters(exclude_categories=["Cs"]), max_size=120) | some.text(
    "ab :#-\n'\"01.e", max_size=200
)


@given(some.recursive(some.none() | some.booleans() | some.integers(-(2**60), 2**60) | texts,
                      lambda inner: some.lists(inner, max_size=4) | some.dictionaries(texts, inner, max_size=4),
                      max_leaves=12))  # fmt: skip
def test_every_value_is_read_back(value: Any) -> None:
    assert yaml.load(yaml_text(value), yaml.CSafeLoader) == value
