"""What is a variable and what is text."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.service.variables.syntax import (
    Literal,
    Source,
    Variable,
    VariableSyntaxError,
    has_variable,
    parse,
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "${AWS::Region}",
        "${stage}",
        "${A.B}",
        "${!Literal}",
        "${ self:service }",
        "$",
        "${",
        "$5 {x}",
    ],
)
def test_text_stays(text: str) -> None:
    assert parse(text) == (text,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(r"\${self:a}", "${self:a}"), (r"\\x", r"\\x"), (r"a\b", r"a\b"), (r"\\\${a:b}", r"\${a:b}")],
)
def test_escapes(text: str, expected: str) -> None:
    assert parse(text) == (expected,)


def test_an_escaped_backslash_is_before_a_variable() -> None:
    before, variable = parse(r"\\${self:a}")
    assert before == "\\"
    assert isinstance(variable, Variable)


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("${opt:x, 'a b'}", "a b"),
        ('${opt:x, "it\'s \\"x\\""}', 'it\'s "x"'),
        ("${opt:x, 42}", 42),
        ("${opt:x, -1.5}", -1.5),
        ("${opt:x, true}", True),
        ("${opt:x,null}", None),
        ("${opt:x, ''}", ""),
    ],
)
def test_literals(text: str, literal: object) -> None:
    (variable,) = parse(text)
    assert isinstance(variable, Variable)
    assert variable.sources[1] == Literal(literal)


def test_params_addresses_and_nesting() -> None:
    (variable,) = parse("${file(a/${sls:stage}.yml):b.${self:c}, cf(eu-west-1):s.O, env:${self:y}}")
    assert isinstance(variable, Variable)
    file, cf, env = variable.sources
    assert isinstance(file, Source) and file.params is not None and file.address is not None
    assert file.type == "file" and has_variable(file.params[0]) and has_variable(file.address)
    assert cf == Source("cf", (("eu-west-1",),), ("s.O",))
    assert isinstance(env, Source) and env.address is not None and has_variable(env.address)


@pytest.mark.parametrize(
    "text",
    [
        "${self:a",
        "${opt:x, dev}",
        "${opt:x, }",
        '${opt:x, "a}',
        "${file(a",
        "${opt:stage, ${self:provider.stage}}",
        "${self:a, 'b' c}",
        "${file('a'b)}",
    ],
)
def test_mistakes(text: str) -> None:
    with pytest.raises(VariableSyntaxError):
        parse(text)


@given(st.text(alphabet="${}:,()'\"\\ab. "))
def test_any_text_parses_or_is_a_mistake(text: str) -> None:
    with suppress(VariableSyntaxError):
        parse(text)
