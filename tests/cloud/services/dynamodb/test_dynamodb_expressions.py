"""The expression languages: what parses, what it means, and AWS's words for what does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.cloud.kernel import ValidationException
from pileus.cloud.services.dynamodb.binding import Bound, Expressions
from pileus.cloud.services.dynamodb.expressions.parser import Parser
from pileus.cloud.services.dynamodb.expressions.tree import (
    And,
    Between,
    Comparison,
    Function,
    In,
    Node,
    Not,
    Or,
    Path,
    Value,
)
from pileus.cloud.services.dynamodb.expressions.update import apply

ITEM: dict[str, Any] = {
    "s": {"S": "hello"},
    "n": {"N": "5"},
    "b": {"B": "aGVsbG8="},
    "l": {"L": [{"N": "1"}, {"S": "x"}, {"M": {"k": {"S": "deep"}}}]},
    "m": {"M": {"a": {"N": "1"}, "l": {"L": [{"S": "p"}, {"S": "q"}]}}},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "t": {"BOOL": True},
    "z": {"NULL": True},
    "a.b": {"S": "dotted"},
}


def bound(request: dict[str, Any], *parameters: str) -> Bound:
    names = tuple(p for p in request if p.endswith("Expression"))
    return Bound(Expressions(), request, parameters or names, names)


def holds(text: str, values: dict[str, Any] | None = None, names: dict[str, str] | None = None) -> bool:
    request: dict[str, Any] = {"ConditionExpression": text}
    if values:
        request["ExpressionAttributeValues"] = {f":{k}": v for k, v in values.items()}
    if names:
        request["ExpressionAttributeNames"] = names
    found = bound(request)
    test = found.condition()
    found.finish()
    assert test is not None
    return test(ITEM, found.values)


def refusal(request: dict[str, Any]) -> str:
    with pytest.raises(ValidationException) as caught:
        found = bound(request)
        found.condition()
        found.update()
        found.projection()
        found.finish()
    return caught.value.message


S, N, X = {"S": "hello"}, {"N": "5"}, {"N": "50"}


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("s = :v", {"v": S}, True),
        ("s <> :v", {"v": S}, False),
        ("s = :v", {"v": {"B": "aGVsbG8="}}, False),
        ("gone <> :v", {"v": S}, True),
        ("gone = :v", {"v": S}, False),
        ("n < :v", {"v": X}, True),
        ("n < :v", {"v": {"N": "5"}}, False),
        ("n <= :v", {"v": {"N": "5.0"}}, True),
        ("n > :v", {"v": {"N": "-10"}}, True),
        ("n >= :v", {"v": {"N": "10"}}, False),
        ("n < :v", {"v": {"S": "9"}}, False),
        ("gone < :v", {"v": X}, False),
        ("NOT gone < :v", {"v": X}, True),
        ("n BETWEEN :a AND :b", {"a": {"N": "5"}, "b": {"N": "6"}}, True),
        ("n between :a and :b", {"a": {"N": "6"}, "b": {"N": "7"}}, False),
        ("n IN (:a, :b)", {"a": {"N": "4"}, "b": {"N": "5"}}, True),
        ("n IN (:a)", {"a": {"S": "5"}}, False),
        ("attribute_exists(m.a)", None, True),
        ("attribute_exists(m.x)", None, False),
        ("attribute_not_exists(l[3])", None, True),
        ("l[2].k = :v", {"v": {"S": "deep"}}, True),
        ("m.l[1] = :v", {"v": {"S": "q"}}, True),
        ("attribute_type(ss, :t)", {"t": {"S": "SS"}}, True),
        ("attribute_type(ss, :t)", {"t": {"S": "NS"}}, False),
        ("begins_with(s, :v)", {"v": {"S": "hel"}}, True),
        ("begins_with(b, :v)", {"v": {"B": "aGU="}}, True),
        ("begins_with(n, :v)", {"v": {"S": "5"}}, False),
        ("contains(s, :v)", {"v": {"S": "ell"}}, True),
        ("contains(ss, :v)", {"v": {"S": "a"}}, True),
        ("contains(ns, :v)", {"v": {"N": "2.0"}}, True),
        ("contains(ss, :v)", {"v": {"N": "1"}}, False),
        ("contains(l, :v)", {"v": {"N": "1"}}, True),
        ("contains(b, :v)", {"v": {"B": "bGw="}}, True),
        ("size(s) = :v", {"v": {"N": "5"}}, True),
        ("size(b) = :v", {"v": {"N": "5"}}, True),
        ("size(ss) = :v", {"v": {"N": "2"}}, True),
        ("size(l) > :v", {"v": {"N": "2"}}, True),
        ("size(m) = :v", {"v": {"N": "2"}}, True),
        ("size(n) = :v", {"v": {"N": "1"}}, False),
        ("size(gone) = :v", {"v": {"N": "0"}}, False),
        # OR binds loosest, then AND, then NOT
        ("s = :v OR n = :x AND n = :x", {"v": S, "x": X}, True),
        ("(s = :v OR n = :x) AND n = :x", {"v": S, "x": X}, False),
        ("NOT s = :v OR s = :v", {"v": S}, True),
        ("NOT (s = :v OR s = :v)", {"v": S}, False),
        ("not not s = :v", {"v": S}, True),
        ("(s) = :v", {"v": S}, True),
        (":v = s", {"v": S}, True),
    ],
)
def test_conditions(text: str, values: dict[str, Any] | None, expected: bool) -> None:
    assert holds(text, values) is expected


def test_a_name_may_hold_dots() -> None:
    assert holds("#d = :v", {"v": {"S": "dotted"}}, {"#d": "a.b"})
    assert not holds("attribute_exists(#d.x)", None, {"#d": "a.b"})


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"ConditionExpression": ""}, "Invalid ConditionExpression: The expression can not be empty;"),
        (
            {"ConditionExpression": "a b"},
            'Invalid ConditionExpression: Syntax error; token: "b", near: "a b"',
        ),
        (
            {"ConditionExpression": "a ="},
            'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="',
        ),
        (
            {"UpdateExpression": "INVALID SYNTAX HERE"},
            'Invalid UpdateExpression: Syntax error; token: "INVALID", near: "INVALID SYNTAX"',
        ),
        (
            {"UpdateExpression": "ADD hits : incr"},
            'Invalid UpdateExpression: Syntax error; token: ":", near: "hits : incr"',
        ),
        (
            {"UpdateExpression": "SET status = :v", "ExpressionAttributeValues": {":v": S}},
            "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: status",
        ),
        (
            {"UpdateExpression": "SET #a = :v", "ExpressionAttributeValues": {":v": S}},
            "Invalid UpdateExpression: An expression attribute name used in the document path is not defined;"
            " attribute name: #a",
        ),
        (
            {"UpdateExpression": "SET a = :v"},
            "Invalid UpdateExpression: An expression attribute value used in expression is not defined;"
            " attribute value: :v",
        ),
        (
            {"ConditionExpression": "nope(a)"},
            "Invalid ConditionExpression: Invalid function name; function: nope",
        ),
        (
            {"ConditionExpression": "size(a)"},
            "Invalid ConditionExpression: The function is not allowed to be used this way in an expression;"
            " function: size",
        ),
        (
            {"ConditionExpression": "attribute_exists(a) = attribute_exists(b)"},
            "Invalid ConditionExpression: The function is not allowed to be used this way in an expression;"
            " function: attribute_exists",
        ),
        (
            {"ConditionExpression": "attribute_exists(a, b)"},
            "Invalid ConditionExpression: Incorrect number of operands for operator or function;"
            " operator or function: attribute_exists, number of operands: 2",
        ),
        (
            {"ConditionExpression": "attribute_exists(:v)", "ExpressionAttributeValues": {":v": S}},
            "Invalid ConditionExpression: Operator or function requires a document path;"
            " operator or function: attribute_exists",
        ),
        (
            {"ConditionExpression": "a = a"},
            "Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this"
            " operator or function; operator: =, first operand: [a]",
        ),
        (
            {"ConditionExpression": "((a = b))"},
            "Invalid ConditionExpression: The expression has redundant parentheses;",
        ),
        (
            {"ConditionExpression": "begins_with(a, :v)", "ExpressionAttributeValues": {":v": N}},
            "Invalid ConditionExpression: Incorrect operand type for operator or function;"
            " operator or function: begins_with, operand type: N",
        ),
        (
            {"ConditionExpression": "a < :v", "ExpressionAttributeValues": {":v": {"BOOL": True}}},
            "Invalid ConditionExpression: Incorrect operand type for operator or function;"
            " operator: <, operand type: BOOL",
        ),
        (
            {"ConditionExpression": "attribute_type(a, :v)", "ExpressionAttributeValues": {":v": S}},
            "Invalid ConditionExpression: Invalid attribute type name found; type: hello, valid types:"
            " {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
        (
            {
                "ConditionExpression": "a BETWEEN :x AND :n",
                "ExpressionAttributeValues": {":x": X, ":n": N},
            },
            "Invalid ConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to"
            " lower bound; lower bound operand: AttributeValue: {N:50}, upper bound operand: AttributeValue: {N:5}",
        ),
        (
            {
                "ConditionExpression": "a BETWEEN :x AND :s",
                "ExpressionAttributeValues": {":x": X, ":s": S},
            },
            "Invalid ConditionExpression: The BETWEEN operator requires same data type for lower and upper bounds;"
            " lower bound operand: AttributeValue: {N:50}, upper bound operand: AttributeValue: {S:hello}",
        ),
        (
            {"UpdateExpression": "SET a = size(b)"},
            "Invalid UpdateExpression: The function is not allowed in an update expression; function: size",
        ),
        (
            {"UpdateExpression": "SET a = b SET c = d"},
            'Invalid UpdateExpression: The "SET" section can only be used once in an update expression;',
        ),
        (
            {"UpdateExpression": "REMOVE a, a.b"},
            "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of"
            " these paths; path one: [a], path two: [a, b]",
        ),
        (
            {"UpdateExpression": "REMOVE a.b, a[0]"},
            "Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of"
            " these paths; path one: [a, b], path two: [a, [0]]",
        ),
        (
            {"ProjectionExpression": "a, b.c, b"},
            "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one"
            " of these paths; path one: [b, c], path two: [b]",
        ),
        (
            {"UpdateExpression": "ADD a :v", "ExpressionAttributeValues": {":v": S}},
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD,"
            " operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            {"UpdateExpression": "DELETE a :v", "ExpressionAttributeValues": {":v": N}},
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE,"
            " operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
        ),
        (
            {"UpdateExpression": "SET a = a + :v", "ExpressionAttributeValues": {":v": S}},
            "Invalid UpdateExpression: Incorrect operand type for operator or function;"
            " operator or function: +, operand type: S",
        ),
        (
            {"UpdateExpression": "SET a = list_append(a, :v)", "ExpressionAttributeValues": {":v": S}},
            "Invalid UpdateExpression: Incorrect operand type for operator or function;"
            " operator or function: list_append, operand type: S",
        ),
        (
            {"UpdateExpression": "SET a = if_not_exists(:v, :v)", "ExpressionAttributeValues": {":v": S}},
            "Invalid UpdateExpression: Operator or function requires a document path;"
            " operator or function: if_not_exists",
        ),
        (
            {"ConditionExpression": "attribute_exists(a)", "ExpressionAttributeNames": {"#b": "c"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}",
        ),
        (
            {"ConditionExpression": "attribute_exists(a)", "ExpressionAttributeValues": {":b": S}},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}",
        ),
        (
            {"ConditionExpression": "attribute_exists(a)", "ExpressionAttributeNames": {}},
            "ExpressionAttributeNames must not be empty",
        ),
        (
            {"ConditionExpression": "attribute_exists(a)", "ExpressionAttributeValues": {}},
            "ExpressionAttributeValues must not be empty",
        ),
        (
            {"ConditionExpression": "attribute_exists(a)", "ExpressionAttributeNames": {"b": "c"}},
            'ExpressionAttributeNames contains invalid key: Syntax error; key: "b"',
        ),
        (
            {"ConditionExpression": "attribute_exists(a)", "ExpressionAttributeValues": {"b": S}},
            'ExpressionAttributeValues contains invalid key: Syntax error; key: "b"',
        ),
        (
            {"ConditionExpression": "a = :b", "ExpressionAttributeValues": {":b": {}}},
            "ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain"
            " exactly one of the supported datatypes for key :b",
        ),
        (
            {"ConditionExpression": "a = :v or " * 500 + "a = :v"},
            "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size;"
            " expression size: 5006",
        ),
    ],
)
def test_refusals(request_: dict[str, Any], message: str) -> None:
    assert refusal(request_) == message


@pytest.mark.parametrize("word", ["name", "Status", "TTL", "date", "uuid", "zone"])
def test_reserved_words_in_any_case(word: str) -> None:
    message = refusal({"ConditionExpression": f"attribute_exists({word})"})
    assert message.endswith(f"Attribute name is a reserved keyword; reserved keyword: {word}")


@pytest.mark.parametrize(
    "text",
    ["(" * 300 + "a = :v" + ")" * 300, "not " * 600 + "a = :v", "size(" * 500 + "a" + ")" * 500 + " = :v"],
)
def test_deep_nesting_is_refused_not_followed(text: str) -> None:
    message = refusal({"ConditionExpression": text, "ExpressionAttributeValues": {":v": S}})
    assert message == "Invalid ConditionExpression: The expression exceeds the maximum nesting depth;"


def test_three_hundred_operators_and_no_more() -> None:
    def chain(clauses: int) -> str:
        return " or ".join(["a=:v"] * clauses)

    assert holds(chain(150), {"v": S}) is False  # 150 comparisons and 149 ORs
    message = refusal({"ConditionExpression": chain(151), "ExpressionAttributeValues": {":v": S}})
    assert message.startswith("Invalid ConditionExpression: The expression contains too many operators;")


# -- projections ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s, n", {"s": {"S": "hello"}, "n": {"N": "5"}}),
        ("gone", {}),
        ("m.a", {"m": {"M": {"a": {"N": "1"}}}}),
        ("m.x", {}),
        ("l[2], l[0]", {"l": {"L": [{"N": "1"}, {"M": {"k": {"S": "deep"}}}]}}),
        ("l[9]", {}),
        ("m.l[1], m.a", {"m": {"M": {"l": {"L": [{"S": "q"}]}, "a": {"N": "1"}}}}),
        ("s.x", {}),
    ],
)
def test_projections(text: str, expected: dict[str, Any]) -> None:
    found = bound({"ProjectionExpression": text}).projection()
    assert found is not None
    assert found[0](ITEM) == expected


# -- updates --------------------------------------------------------------------------------------------------------


def updated(text: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
    request: dict[str, Any] = {"UpdateExpression": text}
    if values:
        request["ExpressionAttributeValues"] = {f":{k}": v for k, v in values.items()}
    found = bound(request)
    program = found.update()
    assert program is not None
    return apply(program.steps, ITEM, found.values)


@pytest.mark.parametrize(
    ("text", "values", "changes"),
    [
        ("SET s = :v", {"v": N}, {"s": N}),
        ("SET x = s", None, {"x": S}),
        ("SET s = n, n = s", None, {"s": N, "n": S}),  # both from the item as it was
        ("SET n = n + :v", {"v": {"N": "0.1"}}, {"n": {"N": "5.1"}}),
        ("SET n = n - :v", {"v": X}, {"n": {"N": "-45"}}),
        ("SET n = if_not_exists(n, :v)", {"v": X}, {"n": N}),
        ("SET x = if_not_exists(x, :v) + :v", {"v": N}, {"x": {"N": "10"}}),
        ("SET x = list_append(:v, m.l)", {"v": {"L": [N]}}, {"x": {"L": [N, {"S": "p"}, {"S": "q"}]}}),
        ("SET m.a = :v", {"v": S}, {"m": {"M": {"a": S, "l": {"L": [{"S": "p"}, {"S": "q"}]}}}}),
        ("SET l[0] = :v", {"v": S}, {"l": {"L": [S, {"S": "x"}, {"M": {"k": {"S": "deep"}}}]}}),
        (
            "SET l[9] = :v, l[7] = :w",
            {"v": S, "w": N},
            {"l": {"L": [{"N": "1"}, {"S": "x"}, {"M": {"k": {"S": "deep"}}}, N, S]}},
        ),
        ("REMOVE l[0], l[2]", None, {"l": {"L": [{"S": "x"}]}}),
        ("REMOVE l[0] SET l[1] = :v", {"v": S}, {"l": {"L": [S, {"M": {"k": {"S": "deep"}}}]}}),
        ("REMOVE l[8]", None, {}),
        ("REMOVE m.l[0].x", None, None),
        ("REMOVE s", None, {"s": None}),
        ("REMOVE gone", None, {}),
        ("ADD n :v", {"v": {"N": "2"}}, {"n": {"N": "7"}}),
        ("ADD x :v", {"v": {"N": "2"}}, {"x": {"N": "2"}}),
        ("ADD ss :v", {"v": {"SS": ["c", "a"]}}, {"ss": {"SS": ["a", "b", "c"]}}),
        ("ADD ns :v", {"v": {"NS": ["10", "1"]}}, {"ns": {"NS": ["1", "2", "10"]}}),
        (
            "ADD m.a :v",
            {"v": {"N": "2"}},
            {"m": {"M": {"a": {"N": "3"}, "l": {"L": [{"S": "p"}, {"S": "q"}]}}}},
        ),
        ("DELETE ss :v", {"v": {"SS": ["a", "x"]}}, {"ss": {"SS": ["b"]}}),
        ("DELETE ss :v", {"v": {"SS": ["a", "b"]}}, {"ss": None}),
        ("DELETE gone :v", {"v": {"SS": ["a"]}}, {}),
        (
            "SET #n = :v".replace("#n", "t") + " REMOVE z ADD n :w",
            {"v": S, "w": N},
            {"t": S, "z": None, "n": {"N": "10"}},
        ),
    ],
)
def test_updates(text: str, values: dict[str, Any] | None, changes: dict[str, Any] | None) -> None:
    if changes is None:
        with pytest.raises(
            ValidationException, match="document path provided in the update expression is invalid"
        ):
            updated(text, values)
        return
    expected = {k: v for k, v in {**ITEM, **changes}.items() if v is not None}
    before = repr(ITEM)
    assert updated(text, values) == expected
    assert repr(ITEM) == before


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        (
            "SET x = gone",
            None,
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        ("SET x = s + :v", {"v": N}, "An operand in the update expression has an incorrect data type"),
        (
            "SET x = list_append(s, :v)",
            {"v": {"L": []}},
            "An operand in the update expression has an incorrect data type",
        ),
        ("ADD s :v", {"v": N}, "An operand in the update expression has an incorrect data type"),
        (
            "DELETE s :v",
            {"v": {"SS": ["a"]}},
            "An operand in the update expression has an incorrect data type",
        ),
        (
            "SET gone.x = :v",
            {"v": N},
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "SET s.x = :v",
            {"v": N},
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "SET m[0] = :v",
            {"v": N},
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "SET l.x = :v",
            {"v": N},
            "The document path provided in the update expression is invalid for update",
        ),
    ],
)
def test_updates_refused(text: str, values: dict[str, Any] | None, message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        updated(text, values)
    assert caught.value.message == message


# -- round trips ----------------------------------------------------------------------------------------------------

words = st.sampled_from(["a", "bb", "c_1", "Dd"])
paths = st.builds(
    lambda first, rest: Path((first, *rest)),
    words,
    st.lists(st.one_of(words, st.integers(0, 99)), max_size=3),
)
placeholders = st.sampled_from([":v", ":w2"]).map(Value)
operands = st.one_of(paths, placeholders, paths.map(lambda p: Function("size", (p,))))
tests = st.one_of(
    st.builds(Comparison, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), operands, operands),
    st.builds(Between, operands, operands, operands),
    st.builds(In, operands, st.lists(operands, min_size=1, max_size=3).map(tuple)),
    paths.map(lambda p: Function("attribute_exists", (p,))),
    st.builds(lambda p, v: Function("contains", (p, v)), paths, placeholders),
)
conditions = st.recursive(
    tests,
    lambda inner: st.one_of(st.builds(And, inner, inner), st.builds(Or, inner, inner), st.builds(Not, inner)),
    max_leaves=8,
)


def written(node: Node) -> str:
    if isinstance(node, Path):
        text = str(node.parts[0])
        for part in node.parts[1:]:
            text += f".{part}" if isinstance(part, str) else f"[{part}]"
        return text
    if isinstance(node, Value):
        return node.name
    if isinstance(node, Function):
        return f"{node.name}({', '.join(map(written, node.arguments))})"
    if isinstance(node, Comparison):
        return f"{written(node.left)}{node.operator}{written(node.right)}"
    if isinstance(node, Between):
        return f"{written(node.operand)} BETWEEN {written(node.lower)} AND {written(node.upper)}"
    if isinstance(node, In):
        return f"{written(node.operand)} in ({','.join(map(written, node.candidates))})"
    if isinstance(node, Not):
        return f"NOT ({written(node.operand)})"
    assert isinstance(node, (And, Or))
    word = "AND" if isinstance(node, And) else "or"
    return f"({written(node.left)}) {word} ({written(node.right)})"


@given(conditions)
def test_what_is_written_parses_to_the_same_tree(node: Node) -> None:
    assert Parser(written(node), {}).condition() == node


@given(st.text(alphabet="ab:#v()=<> ,.[]01ANDORNOTBETWEENINsizecontains", max_size=40))
def test_any_text_parses_or_is_refused(text: str) -> None:
    request = {"ConditionExpression": text, "ExpressionAttributeValues": {":v": S}}
    try:
        test = bound(request).condition()
    except ValidationException as error:
        assert error.message.startswith("Invalid ConditionExpression: ")
        return
    assert test is not None
    assert test(ITEM, {":v": S}) in (True, False)
