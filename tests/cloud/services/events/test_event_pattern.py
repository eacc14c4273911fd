"""Event patterns, as the EventBridge user guide documents each operator, both ways."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pileus.cloud.services.events.errors import InvalidEventPattern
from pileus.cloud.services.events.pattern import compile_pattern


def matches(pattern: Any, event: Any) -> bool:
    return compile_pattern(json.dumps(pattern))(event)


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        ({"source": ["a"]}, {"source": "a"}, True),
        ({"source": ["a"]}, {"source": "b"}, False),
        ({"source": ["a"]}, {}, False),
        ({"n": [300]}, {"n": 300}, True),
        ({"n": [300]}, {"n": 300.0}, False),
        ({"n": [1]}, {"n": True}, False),
        ({"n": [None]}, {"n": None}, True),
        ({"n": [None]}, {}, False),
        ({"n": [""]}, {"n": ""}, True),
        ({"d": {"s": ["x", "y"]}}, {"d": {"s": "y"}}, True),
        ({"d": {"s": ["x"]}, "e": ["z"]}, {"d": {"s": "x"}, "e": "q"}, False),
        ({"s": ["x"]}, {"s": ["w", "x"]}, True),
        ({"d": {"s": ["x"]}}, {"d": [{"s": "w"}, {"s": "x"}]}, True),
        ({"s": [{"prefix": "ab"}]}, {"s": "abc"}, True),
        ({"s": [{"prefix": "ab"}]}, {"s": "xabc"}, False),
        ({"s": [{"prefix": {"equals-ignore-case": "AB"}}]}, {"s": "abc"}, True),
        ({"s": [{"suffix": ".png"}]}, {"s": "a.png"}, True),
        ({"s": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"s": "a.png"}, True),
        ({"s": [{"equals-ignore-case": "AlIce"}]}, {"s": "aLiCE"}, True),
        ({"s": [{"anything-but": "x"}]}, {"s": "y"}, True),
        ({"s": [{"anything-but": "x"}]}, {"s": "x"}, False),
        ({"s": [{"anything-but": "x"}]}, {}, False),
        ({"s": [{"anything-but": [1, 2]}]}, {"s": 3}, True),
        ({"s": [{"anything-but": {"prefix": "in"}}]}, {"s": "out"}, True),
        ({"s": [{"anything-but": {"prefix": "in"}}]}, {"s": "init"}, False),
        ({"s": [{"anything-but": {"suffix": ["a", "b"]}}]}, {"s": "xb"}, False),
        ({"s": [{"anything-but": {"wildcard": "*/x/*"}}]}, {"s": "/x/1"}, False),
        ({"n": [{"numeric": [">", 0, "<=", 5]}]}, {"n": 5}, True),
        ({"n": [{"numeric": [">", 0, "<=", 5]}]}, {"n": 0}, False),
        ({"n": [{"numeric": ["=", 3.5]}]}, {"n": 3.5}, True),
        ({"n": [{"numeric": [">", 0]}]}, {"n": "5"}, False),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, {"ip": "10.0.0.255"}, True),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, {"ip": "10.0.1.0"}, False),
        ({"ip": [{"cidr": "2001:db8::/32"}]}, {"ip": "2001:db8::1"}, True),
        ({"s": [{"exists": True}]}, {"s": None}, True),
        ({"s": [{"exists": True}]}, {}, False),
        ({"s": [{"exists": True}]}, {"s": {"inner": 1}}, False),
        ({"s": [{"exists": False}]}, {}, True),
        ({"d": {"s": [{"exists": False}]}}, {}, True),
        ({"s": [{"wildcard": "a*c*e"}]}, {"s": "abcde"}, True),
        ({"s": [{"wildcard": "a*c"}]}, {"s": "abcd"}, False),
        ({"s": [{"wildcard": "a\\*c"}]}, {"s": "a*c"}, True),
        ({"s": [{"wildcard": "a\\*c"}]}, {"s": "abc"}, False),
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}], "c": [3]}, {"b": 2}, False),
    ],
)
def test_matching(pattern: Any, event: Any, expected: bool) -> None:
    assert matches(pattern, event) is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Invalid JSON"),
        ("[]", "Filter is not an object"),
        ("{}", "Empty patterns"),
        ('{"a": "b"}', '"a" must be an object or an array'),
        ('{"a": []}', "Empty arrays are not allowed"),
        ('{"a": {}}', "Empty objects are not allowed"),
        ('{"a": [{"nope": 1}]}', "Unrecognized match type nope"),
        ('{"a": [{"exists": 1}]}', "exists match pattern must be either true or false."),
        ('{"a": [{"numeric": [">", 5, "<", 3]}]}', "Bottom must be less than top"),
        ('{"a": [{"wildcard": "a**"}]}', "Consecutive wildcard"),
        ('{"a": [{"prefix": 1}]}', "prefix match pattern must be a string"),
    ],
)
def test_invalid_patterns(text: str, reason: str) -> None:
    with pytest.raises(InvalidEventPattern, match=r"Event pattern is not valid\. Reason: ") as caught:
        compile_pattern(text)
    assert reason in caught.value.message
