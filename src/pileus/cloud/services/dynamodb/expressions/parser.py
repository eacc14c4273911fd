"""The three grammars: conditions (also filters and key conditions), projections and updates.

Recursive descent over the tokens. A broken grammar stops at once with AWS's "Syntax error"; what is well formed but
not allowed (a reserved word, an unknown function, an undefined name) is noted on the way and reported when the whole
text has parsed, in the order in which AWS ranks them.
"""

from __future__ import annotations

from collections.abc import Mapping

from .lexer import END, Token, tokens
from .problems import InvalidExpression, Problems
from .tree import Action, And, Arithmetic, Between, Comparison, Function, In, Node, Not, Or, Path, Value
from .words import RESERVED

_COMPARATORS = frozenset({"=", "<>", "<", "<=", ">", ">="})
_SECTIONS = frozenset({"SET", "REMOVE", "ADD", "DELETE"})
_MAX_BYTES = 4096
_MAX_DEPTH = 100  # far below what would exhaust the stack


class Parser:
    """One text. names: ExpressionAttributeNames.

    names_used, values_used: the placeholders met. problems: what is wrong but parses.
    """

    def __init__(self, text: str, names: Mapping[str, str]) -> None:
        if not text.strip():
            raise InvalidExpression("The expression can not be empty;")
        size = len(text.encode())
        if size > _MAX_BYTES:
            raise InvalidExpression(
                f"Expression size has exceeded the maximum allowed size; expression size: {size}"
            )
        self._text = text
        self._names = names
        self._tokens = tokens(text)
        self._at = 0
        self._depth = 0
        self.names_used: set[str] = set()
        self.values_used: set[str] = set()
        self.problems = Problems()

    # -- tokens -----------------------------------------------------------------------------------------------------

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _is(self, text: str) -> bool:
        return self._tokens[self._at].upper == text

    def _take(self, text: str) -> bool:
        if self._tokens[self._at].upper == text:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._syntax_error()

    def _syntax_error(self) -> InvalidExpression:
        token = self._token
        first = self._tokens[max(self._at - 1, 0)]
        last = self._tokens[min(self._at + 1, len(self._tokens) - 1)]
        near = self._text[first.start : last.stop].rstrip()
        return InvalidExpression(f'Syntax error; token: "{token.text}", near: "{near}"')

    def _end(self) -> None:
        if self._token.kind != END:
            raise self._syntax_error()

    # -- paths and placeholders -------------------------------------------------------------------------------------

    def path(self) -> Path:
        parts: list[str | int] = [self._attribute()]
        while True:
            if self._take("."):
                parts.append(self._attribute())
            elif self._take("["):
                token = self._token
                if token.kind != "number":
                    raise self._syntax_error()
                if len(token.text) > 10 or int(token.text) > 2**31 - 1:
                    self.problems.note(
                        "index", f"List index is not within the allowable range; index: [{token.text}]"
                    )
                self._at += 1
                parts.append(int(token.text))
                self._expect("]")
            else:
                if len(parts) > 32:
                    self.problems.note(
                        "depth",
                        f"The document path has too many nesting elements; nesting levels: {len(parts)}",
                    )
                return Path(tuple(parts))

    def _attribute(self) -> str:
        token = self._token
        if token.kind == "word":
            self._at += 1
            if token.upper in RESERVED:
                self.problems.note(
                    "reserved", f"Attribute name is a reserved keyword; reserved keyword: {token.text}"
                )
            return token.text
        if token.kind != "name":
            raise self._syntax_error()
        self._at += 1
        self.names_used.add(token.text)
        name = self._names.get(token.text)
        if name is None:
            self.problems.note(
                "name",
                "An expression attribute name used in the document path is not defined;"
                f" attribute name: {token.text}",
            )
            return token.text
        return name

    # -- operands ---------------------------------------------------------------------------------------------------

    def _operand(self) -> Node:
        token = self._token
        if token.kind == "value":
            self._at += 1
            self.values_used.add(token.text)
            return Value(token.text)
        if token.kind == "word" and self._tokens[self._at + 1].text == "(":
            return self._function()
        return self.path()

    def _function(self) -> Function:
        name = self._token.text
        self._at += 2
        arguments = [self._argument()]
        while self._take(","):
            arguments.append(self._argument())
        self._expect(")")
        return Function(name, tuple(arguments))

    def _argument(self) -> Node:
        self._deeper()
        argument = self._primary()
        self._depth -= 1
        return argument

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise InvalidExpression("The expression exceeds the maximum nesting depth;")

    # -- conditions -------------------------------------------------------------------------------------------------

    def condition(self) -> Node:
        node = self._or()
        if not _is_condition(node):
            raise self._syntax_error()
        self._end()
        return node

    def _or(self) -> Node:
        node = self._and()
        while self._is("OR"):
            self._must_be_condition(node)
            self._at += 1
            right = self._and()
            self._must_be_condition(right)
            node = Or(node, right)
        return node

    def _and(self) -> Node:
        node = self._not()
        while self._is("AND"):
            self._must_be_condition(node)
            self._at += 1
            right = self._not()
            self._must_be_condition(right)
            node = And(node, right)
        return node

    def _not(self) -> Node:
        if self._is("NOT") and self._token.kind == "word":
            self._at += 1
            self._deeper()
            operand = self._not()
            self._depth -= 1
            self._must_be_condition(operand)
            return Not(operand)
        return self._comparison()

    def _must_be_condition(self, node: Node) -> None:
        if not _is_condition(node):
            raise self._syntax_error()

    def _comparison(self) -> Node:
        left = self._primary()
        token = self._token
        if not _is_operand(left):
            return left
        if token.text in _COMPARATORS:
            self._at += 1
            return Comparison(token.text, left, self._bare_operand())
        if token.upper == "BETWEEN":
            self._at += 1
            lower = self._bare_operand()
            self._expect("AND")
            return Between(left, lower, self._bare_operand())
        if token.upper == "IN":
            self._at += 1
            self._expect("(")
            candidates = [self._bare_operand()]
            while self._take(","):
                candidates.append(self._bare_operand())
            self._expect(")")
            return In(left, tuple(candidates))
        return left

    def _bare_operand(self) -> Node:
        operand = self._primary()
        if not _is_operand(operand):
            raise self._syntax_error()
        return operand

    def _primary(self) -> Node:
        if not self._is("("):
            return self._operand()
        self._at += 1
        doubled = self._is("(")
        self._deeper()
        node = self._or()
        self._depth -= 1
        self._expect(")")
        if doubled and self._tokens[self._at - 2].text == ")" and self._wraps():
            self.problems.note("parens", "The expression has redundant parentheses;")
        return node

    def _wraps(self) -> bool:
        """Whether the parentheses just closed hold nothing but another pair: `((a))`, not `((a) or (b))`."""
        depth = 0
        for index in range(self._at - 2, -1, -1):
            text = self._tokens[index].text
            depth += (text == ")") - (text == "(")
            if depth == 0:
                return self._tokens[index - 1].text == "(" and self._opens(index - 1)
        return False

    def _opens(self, index: int) -> bool:
        """Whether the parenthesis at `index` groups; otherwise it belongs to a function or an IN list."""
        before = self._tokens[index - 1] if index else None
        return before is None or before.kind != "word" or before.upper in ("AND", "OR", "NOT", "BETWEEN")

    # -- projections ------------------------------------------------------------------------------------------------

    def projection(self) -> tuple[Path, ...]:
        paths = [self.path()]
        while self._take(","):
            paths.append(self.path())
        self._end()
        return tuple(paths)

    # -- updates ----------------------------------------------------------------------------------------------------

    def update(self) -> tuple[Action, ...]:
        actions: list[Action] = []
        seen: set[str] = set()
        while True:
            token = self._token
            if token.kind != "word" or token.upper not in _SECTIONS:
                raise self._syntax_error()
            self._at += 1
            section = token.upper
            if section in seen:
                self.problems.note(
                    "section", f'The "{section}" section can only be used once in an update expression;'
                )
            seen.add(section)
            actions.append(self._action(section))
            while self._take(","):
                actions.append(self._action(section))
            if self._token.kind == END:
                return tuple(actions)

    def _action(self, section: str) -> Action:
        path = self.path()
        if section == "REMOVE":
            return Action(section, path, None)
        if section == "SET":
            self._expect("=")
            return Action(section, path, self._set_value())
        token = self._token
        if token.kind != "value":
            raise self._syntax_error()
        self._at += 1
        self.values_used.add(token.text)
        return Action(section, path, Value(token.text))

    def _set_value(self) -> Node:
        left = self._set_operand()
        token = self._token
        if token.text in ("+", "-"):
            self._at += 1
            return Arithmetic(token.text, left, self._set_operand())
        return left

    def _set_operand(self) -> Node:
        if not self._take("("):
            token = self._token
            if token.kind == "word" and self._tokens[self._at + 1].text == "(":
                return self._set_function()
            return self._operand()
        self._deeper()
        node = self._set_value()
        self._depth -= 1
        self._expect(")")
        return node

    def _set_function(self) -> Function:
        name = self._token.text
        self._at += 2
        self._deeper()
        arguments = [self._set_value()]
        while self._take(","):
            arguments.append(self._set_value())
        self._depth -= 1
        self._expect(")")
        return Function(name, tuple(arguments))


def _is_operand(node: Node) -> bool:
    return isinstance(node, (Path, Value, Function))


def _is_condition(node: Node) -> bool:
    return not isinstance(node, (Path, Value))
