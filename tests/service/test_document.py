"""YAML and JSON files: values under js-yaml's rules, marks of every value, and mistakes at their place."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pileus.service.document import parse_json, parse_yaml, read
from pileus.service.errors import ConfigError
from pileus.service.marks import Mark
from pileus.service.tree import Json
from pileus.service.tree import Path as Place

FILE = Path("/nowhere/serverless.yml")


def value(text: str) -> Json:
    return parse_yaml(text, FILE).value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!Ref A", {"Ref": "A"}),
        ("!Ref 012", {"Ref": "012"}),
        ("!Condition C", {"Condition": "C"}),
        ("!GetAtt A.B.C", {"Fn::GetAtt": ["A", "B.C"]}),
        ("!GetAtt a", {"Fn::GetAtt": ["a", ""]}),
        ("!GetAtt [A, B]", {"Fn::GetAtt": ["A", "B"]}),
        ("!Sub ['${V}', {V: !Ref A}]", {"Fn::Sub": ["${V}", {"V": {"Ref": "A"}}]}),
        ("!GetAZs ''", {"Fn::GetAZs": ""}),
        ("!If [C, !Ref 'AWS::NoValue', no]", {"Fn::If": ["C", {"Ref": "AWS::NoValue"}, "no"]}),
        ("!!str 12", "12"),
        ("'12'", "12"),
        ("{true: a, null: b, 1.5: c}", {"true": "a", "null": "b", "1.5": "c"}),
        ("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}", {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 3}}),
        ("a: &x {p: 1}\nb: &y {p: 2, r: 3}\nc: {<<: [*x, *y]}", None),
        ("", None),
    ],
)
def test_values(text: str, expected: Json) -> None:
    result = value(text)
    if text.endswith("[*x, *y]}"):
        assert result["c"] == {"p": 1, "r": 3}
    else:
        assert result == expected


def test_keys_that_are_indexes_come_first() -> None:
    assert list(value("{b: 1, 404: x, 200: y, 01: z}")) == ["1", "200", "404", "b"]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\na: 2", 2, 1, "twice"),
        ("x: {a: 1, a: 2}", 1, 11, "twice"),
        ("a: !Nope 1", 1, 4, "unknown tag !Nope"),
        ("a: !ToJsonString {}", 1, 4, "unknown tag"),
        ("a: [1", 2, 1, "not valid YAML"),
        ("a:\n  b: 1\n c: 2", 3, 2, "not valid YAML"),
        ("a:\n\tb: 1", 2, 1, "not valid YAML"),
        ("a: *b", 1, 4, "not valid YAML"),
        ("a: &x [*x]", 1, 4, "contains itself"),
        ("? {a: 1}\n: b", 1, 3, "key must be"),
        ("? [a, [b]]\n: c", 1, 3, "key must be"),
        ("a: {<<: 1}", 1, 9, "merges objects only"),
        ("a: !!binary aGk=", 1, 4, "!!binary"),
    ],
)
def test_mistakes_have_their_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, FILE)
    assert caught.value.mark == Mark(FILE, line, column)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [((), 1, 1), (("a",), 1, 4), (("b", "c", 1), 4, 7), (("b", "c", "1"), 4, 7), (("b", "d"), 5, 6)],
)
def test_marks(path: Place, line: int, column: int) -> None:
    marks = parse_yaml(
        "a: 1\nb:\n  c:\n    - {x: 1}\n  d: !Ref Q".replace("- {x: 1}", "- 1\n    - 2"), FILE
    ).marks
    places = {("b", "c", 1): (5, 7), ("b", "c", "1"): (5, 7), ("b", "d"): (6, 6)}
    assert marks.find(path)[1:] == places.get(path, (line, column))


def test_the_mark_of_an_absent_value_is_the_closest_that_was_written() -> None:
    marks = parse_yaml("a:\n  b: {c: 1}", FILE).marks
    assert marks.find(("a", "b", "nope", "deeper"))[1:] == (2, 6)
    assert marks.find(("a", "b", "c"), key=True)[1:] == (2, 7)


def test_json_marks_and_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{\n\t"a": {"b": [1, 2]}\n}')
    document = read(file)
    assert document.value == {"a": {"b": [1, 2]}}
    assert document.marks.find(("a", "b", 1))[1:] == (2, 17)
    for text, place in (('{"a": }', (1, 7)), ('{"a": NaN}', (1, 1)), ("", (1, 1))):
        with pytest.raises(ConfigError) as caught:
            parse_json(text, file)
        assert caught.value.mark is not None and caught.value.mark[1:] == place


def test_bytes_that_are_no_text_are_shown_as_such(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_bytes(b"a: 1 # \xe9\nb: \xff")
    assert read(file).value == {"a": 1, "b": "\ufffd"}
    with pytest.raises(ConfigError):
        read(tmp_path / "absent.yml")


def test_nesting_without_end_is_an_error_not_a_crash() -> None:
    with pytest.raises(ConfigError):
        parse_yaml("[" * 100_000, FILE)


plain_data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8", exclude_categories=["C"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abcxyz", min_size=1), inner),
    max_leaves=20,
)


@given(plain_data)
def test_what_is_dumped_with_quotes_reads_back(data: Json) -> None:
    assert value(
        yaml.safe_dump(data, default_style='"', allow_unicode=True).replace("!!null", "")
    ) == _quoted(data)


def _quoted(data: Json) -> Json:
    """What the dumper's double quotes and tags make of scalars."""
    if isinstance(data, dict):
        return {key: _quoted(inner) for key, inner in data.items()}
    if isinstance(data, list):
        return [_quoted(inner) for inner in data]
    return "null" if data is None else data


@given(st.text())
def test_any_text_is_a_document_or_a_mistake(text: str) -> None:
    try:
        parse_yaml(text, FILE)
    except ConfigError as error:
        assert error.message
