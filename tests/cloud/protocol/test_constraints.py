"""The constraints of the models in AWS's words."""

from __future__ import annotations

from typing import Any

import pytest

from pileus.cloud.protocol.constraints import Constraints, compile_pattern, message
from pileus.cloud.protocol.model import load_model

from .test_round_trip import SERVICES

SHAPES: dict[str, dict[str, Any]] = {
    "Name": {"type": "string", "min": 3, "max": 5, "pattern": "[a-z]+"},
    "Colour": {"type": "string", "enum": ["RED", "BLUE"]},
    "Count": {"type": "integer", "min": 1, "max": 10},
    "Ratio": {"type": "double", "max": 0.5},
    "Secret": {"type": "string", "max": 2, "sensitive": True},
    "Bytes": {"type": "blob", "max": 2},
    "Names": {"type": "list", "member": {"shape": "Name"}, "max": 2},
    "Tags": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Count"}, "min": 1},
    "Entry": {"type": "structure", "required": ["Id"], "members": {"Id": {"shape": "Name"}}},
    "Entries": {"type": "list", "member": {"shape": "Entry"}, "min": 1},
    "ById": {"type": "map", "key": {"shape": "Free"}, "value": {"shape": "Entry"}},
    "Free": {"type": "string"},
    "Tree": {"type": "structure", "members": {"Leaf": {"shape": "Count"}, "Below": {"shape": "Forest"}}},
    "Forest": {"type": "list", "member": {"shape": "Tree"}},
    "Token": {"type": "string", "min": 1},
    "Input": {
        "type": "structure",
        "required": ["Free", "Token"],
        "members": {
            "Free": {"shape": "Free"},
            "Token": {"shape": "Token", "idempotencyToken": True},
            "Name": {"shape": "Name"},
            "Colour": {"shape": "Colour"},
            "Count": {"shape": "Count"},
            "Ratio": {"shape": "Ratio"},
            "Secret": {"shape": "Secret"},
            "Bytes": {"shape": "Bytes"},
            "Names": {"shape": "Names"},
            "Tags": {"shape": "Tags"},
            "Entries": {"shape": "Entries"},
            "ById": {"shape": "ById"},
            "Tree": {"shape": "Tree"},
        },
    },
}
LENGTHS = (
    "Member must have length less than or equal to 5, Member must have length greater than or equal to 3, "
    "Member must satisfy regular expression pattern: [a-z]+"
)
FAILED = "failed to satisfy constraint:"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, None),
        (
            {
                "Name": "abc",
                "Colour": "RED",
                "Count": 10,
                "Ratio": 0.5,
                "Bytes": b"ab",
                "Names": [],
                "Secret": "x",
            },
            None,
        ),
        ({"Tags": {"abc": 1}, "Entries": [{"Id": "abc"}], "ById": {"x": {"Id": "abc"}}, "Tree": {}}, None),
        ({"Free": None}, f"Value null at 'free' {FAILED} Member must not be null"),
        ({"Name": "ab"}, f"Value 'ab' at 'name' {FAILED} Member must have length greater than or equal to 3"),
        (
            {"Name": "abcdef"},
            f"Value 'abcdef' at 'name' {FAILED} Member must have length less than or equal to 5",
        ),
        (
            {"Name": "ABC"},
            f"Value 'ABC' at 'name' {FAILED} Member must satisfy regular expression pattern: [a-z]+",
        ),
        (
            {"Name": "abc\n"},
            f"Value 'abc\n' at 'name' {FAILED} Member must satisfy regular expression pattern: [a-z]+",
        ),
        (
            {"Colour": "red"},
            f"Value 'red' at 'colour' {FAILED} Member must satisfy enum value set: [RED, BLUE]",
        ),
        ({"Count": 0}, f"Value '0' at 'count' {FAILED} Member must have value greater than or equal to 1"),
        ({"Count": 11}, f"Value '11' at 'count' {FAILED} Member must have value less than or equal to 10"),
        ({"Ratio": 0.6}, f"Value '0.6' at 'ratio' {FAILED} Member must have value less than or equal to 0.5"),
        ({"Secret": "abc"}, f"Value at 'secret' {FAILED} Member must have length less than or equal to 2"),
        (
            {"Bytes": b"abc"},
            f"Value 'java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]' at 'bytes' {FAILED} Member must have length less than "
            "or equal to 2",
        ),
        (
            {"Entries": []},
            f"Value '[]' at 'entries' {FAILED} Member must have length greater than or equal to 1",
        ),
        (
            {"Names": ["abc", "x"]},
            f"Value '[abc, x]' at 'names' {FAILED} Member must satisfy constraint: [{LENGTHS}]",
        ),
        (
            {"Tags": {"x": 1}},
            f"Value '{{x=1}}' at 'tags' {FAILED} Map keys must satisfy constraint: [{LENGTHS}]",
        ),
        (
            {"Tags": {"abc": 0}},
            f"Value '{{abc=0}}' at 'tags' {FAILED} Map value must satisfy constraint: [Member must have value less than "
            "or equal to 10, Member must have value greater than or equal to 1]",
        ),
        (
            {"Entries": [{"Id": "abc"}, {}]},
            f"Value null at 'entries.2.member.id' {FAILED} Member must not be null",
        ),
        (
            {"ById": {"k": {"Id": "x"}}},
            f"Value 'x' at 'byId.k.member.id' {FAILED} Member must have length greater than or equal to 3",
        ),
        (
            {"Tree": {"Below": [{"Leaf": 1, "Below": [{"Leaf": 0}]}]}},
            f"Value '0' at 'tree.below.1.member.below.1.member.leaf' {FAILED} Member must have value greater than or "
            "equal to 1",
        ),
    ],
)
def test_messages(value: dict[str, Any], text: str | None) -> None:
    check = Constraints(SHAPES, opaque=frozenset()).structure("Input")
    assert check is not None
    found = check({"Free": "x", **value})
    assert (found and message(found)) == (text and f"1 validation error detected: {text}")


def test_several() -> None:
    check = Constraints(SHAPES, opaque=frozenset()).structure("Input")
    assert check is not None
    found = check({"Name": "X"})
    assert found is not None
    assert message(found) == (
        f"3 validation errors detected: Value null at 'free' {FAILED} Member must not be null; Value 'X' at 'name' "
        f"{FAILED} Member must have length greater than or equal to 3; Value 'X' at 'name' {FAILED} Member must "
        "satisfy regular expression pattern: [a-z]+"
    )


def test_opaque_and_unchecked_shapes() -> None:
    checks = Constraints(SHAPES, opaque=frozenset({"Name"}), unchecked=frozenset({"Count"}))
    check = checks.structure("Input")
    assert check is not None
    assert check({"Free": "x", "Name": 5, "Count": 99, "Names": ["x"]}) is None
    assert Constraints(SHAPES, opaque=frozenset()).checks("Free").own is None


def test_only_what_is_required() -> None:
    check = Constraints(SHAPES, opaque=frozenset(), presence_only=True).structure("Input")
    assert check is not None
    assert (
        check({"Free": "x", "Name": "X", "Entries": [{"Id": "X"}], "ById": {}, "Tree": {"Leaf": 99}}) is None
    )
    assert check({}) == [("free", " null", "Member must not be null")]
    assert check({"Free": "x", "Entries": [{"Id": "X"}, {}]}) == [
        ("entries.2.member.id", " null", "Member must not be null")
    ]


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$", ["aé 1_.:/=+-@", "", "日本"], ["a!", "a\n"]),
        (r"[\w-_]*", ["a-b_c"], ["a b"]),
        (r"[\w+=,.@-]+", ["a-b"], ["", "a b"]),
        (
            r"^arn:aws[a-z0-9-]*:iam::\d{12}:role\/[\w-\/.@+=,]{1,1017}$",
            ["arn:aws:iam::123456789012:role/a/b-c"],
            ["x"],
        ),
        (r"\p{Print}+", ["a b~"], ["", "é", "\n"]),
        (r"a|b", ["a", "b"], ["ab", "c"]),
        (
            r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*",
            ["a\n\U0001f600"],
            ["\x00"],
        ),
    ],
)
def test_java_patterns(pattern: str, good: list[str], bad: list[str]) -> None:
    fits = compile_pattern(pattern).fullmatch
    assert [text for text in good if not fits(text)] == []
    assert [text for text in bad if fits(text)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_all_patterns_compile(service: str) -> None:
    patterns = {shape["pattern"] for shape in load_model(service).shapes.values() if "pattern" in shape}
    for pattern in patterns:
        compile_pattern(pattern)
