"""Source → nodes: a recursive descent over text, directives, references and expressions.

As in Velocity 1.7, a directive takes the rest of its line with it where that is blank, and #set also the blanks before.
"""

from __future__ import annotations

from pileus.cloud.kernel import NotEmulated

from .lexer import (
    BLOCK_COMMENT,
    DIRECTIVE,
    END_OF_LINE,
    IDENTIFIER,
    LINE_COMMENT,
    MACRO_NAME,
    MACRO_USE,
    NUMBER,
    PLAIN_TEXT,
    UNPARSED,
    Scanner,
    TemplateSyntaxError,
)
from .nodes import (
    Binary,
    Block,
    Break,
    Define,
    Expression,
    ForEach,
    If,
    Index,
    Interpolated,
    ListLiteral,
    Literal,
    Macro,
    MacroCall,
    MapLiteral,
    Method,
    Negative,
    Node,
    Not,
    Property,
    RangeLiteral,
    Reference,
    Set,
    Step,
    Stop,
    Text,
)

__all__ = ["TemplateSyntaxError", "parse"]

_REFUSED = frozenset({"parse", "include", "evaluate", "literal"})
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))


def parse(source: str) -> Block:
    """Raises TemplateSyntaxError, and NotEmulated for a directive that is not emulated."""
    parser = _Parser(source)
    block, ended_by = parser.block()
    if ended_by:
        raise parser.scan.error(f"#{ended_by} without its beginning")
    return block


class _Parser:
    def __init__(self, source: str) -> None:
        self.scan = Scanner(source)
        self.macros = frozenset(MACRO_NAME.findall(source))

    # -- text and directives ----------------------------------------------------------------------------------------

    def block(self) -> tuple[Block, str]:
        """The nodes up to the end or to the #end, #else or #elseif that closes them, and which it was."""
        scan, nodes = self.scan, list[Node]()
        while not scan.at_end:
            plain = scan.match(PLAIN_TEXT)
            if plain is not None:
                _add_text(nodes, plain[0])
            elif scan.peek("\\"):
                self.escape(nodes)
            elif scan.peek("$"):
                reference = self.reference()
                if reference is None:
                    scan.position += 1
                    _add_text(nodes, "$")
                else:
                    nodes.append(reference)
            elif (closing := self.directive(nodes)) is not None:
                return tuple(nodes), closing
        return tuple(nodes), ""

    def escape(self, nodes: list[Node]) -> None:
        """A backslash before a reference or directive takes its meaning away; any other stays as it is."""
        scan = self.scan
        scan.position += 1
        mark = scan.position
        if scan.peek("$") and (reference := self.reference()) is not None:
            _add_text(nodes, reference.source)
        elif scan.peek("#") and (found := DIRECTIVE.match(scan.source, mark)) is not None:
            scan.position = found.end()
            _add_text(nodes, found[0])
        else:
            _add_text(nodes, "\\")

    def directive(self, nodes: list[Node]) -> str | None:
        """Reads one directive into `nodes`; gives the name of one that closes the block instead."""
        scan = self.scan
        if scan.match(LINE_COMMENT) or scan.match(BLOCK_COMMENT):
            return None
        if (unparsed := scan.match(UNPARSED)) is not None:
            _add_text(nodes, unparsed[1])
            return None
        if (used := MACRO_USE.match(scan.source, scan.position)) and used[1] in self.macros:
            nodes.append(self.macro_call(used[1], used.end()))
            return None
        found = scan.match(DIRECTIVE)
        name = (found[1] or found[2]) if found else ""
        if name in ("end", "else", "elseif"):
            if name != "elseif":
                scan.match(END_OF_LINE)
            return name
        if name in _REFUSED and scan.peek("("):
            raise NotEmulated(f"apigateway mapping templates with #{name}")
        node = self.statement(name, nodes)
        if node is None:
            _add_text(nodes, found[0] if found else "#")
            if not found:
                scan.position += 1
        else:
            nodes.append(node)
        return None

    def statement(self, name: str, nodes: list[Node]) -> Node | None:
        if name == "set":
            return self.set(nodes)
        if name == "if":
            return self.condition()
        if name == "foreach":
            return self.foreach()
        if name == "define":
            return self.define()
        if name == "macro":
            return self.macro()
        if name in ("break", "stop"):
            self.scan.match(END_OF_LINE)
            return Break() if name == "break" else Stop()
        return None

    def set(self, nodes: list[Node]) -> Set:
        if nodes and isinstance(nodes[-1], Text):
            nodes[-1] = Text(nodes[-1].text.rstrip(" \t"))
        self.scan.expect("(")
        target = self.required_reference()
        self.scan.expect("=")
        value = self.expression()
        self.scan.expect(")")
        self.scan.match(END_OF_LINE)
        return Set(target, value)

    def condition(self) -> If:
        branches: list[tuple[Expression, Block]] = []
        otherwise: Block = ()
        closing = "elseif"
        while closing == "elseif":
            self.scan.expect("(")
            test = self.expression()
            self.scan.expect(")")
            self.scan.match(END_OF_LINE)
            body, closing = self.block()
            branches.append((test, body))
        if closing == "else":
            otherwise, closing = self.block()
        self.closed(closing, "if")
        return If(tuple(branches), otherwise)

    def foreach(self) -> ForEach:
        self.scan.expect("(")
        variable = self.required_reference()
        self.scan.expect("in")
        source = self.expression()
        self.scan.expect(")")
        self.scan.match(END_OF_LINE)
        body, closing = self.block()
        self.closed(closing, "foreach")
        return ForEach(variable.root, source, body)

    def define(self) -> Define:
        self.scan.expect("(")
        name = self.required_reference()
        self.scan.expect(")")
        self.scan.match(END_OF_LINE)
        body, closing = self.block()
        self.closed(closing, "define")
        return Define(name.root, body)

    def macro(self) -> Macro:
        """`#macro(name $a $b) … #end`"""
        self.scan.expect("(")
        self.scan.skip_space()
        name = self.scan.match(IDENTIFIER)
        if name is None:
            raise self.scan.error("expected the name of a macro")
        parameters = self.arguments()
        self.scan.match(END_OF_LINE)
        body, closing = self.block()
        self.closed(closing, "macro")
        return Macro(name[0], tuple(each.root for each in parameters if isinstance(each, Reference)), body)

    def macro_call(self, name: str, position: int) -> MacroCall:
        start, self.scan.position = self.scan.position, position
        arguments = self.arguments()
        return MacroCall(self.scan.source[start : self.scan.position], name, arguments)

    def arguments(self) -> tuple[Expression, ...]:
        """What is given to a macro: apart by blanks or commas."""
        found = list[Expression]()
        while True:
            self.scan.skip_space()
            if self.scan.take(")"):
                return tuple(found)
            if not self.scan.take(","):
                found.append(self.primary())

    def closed(self, closing: str, name: str) -> None:
        if closing != "end":
            raise self.scan.error(f"#{name} without #end")

    # -- references -------------------------------------------------------------------------------------------------

    def required_reference(self) -> Reference:
        self.scan.skip_space()
        reference = self.reference()
        if reference is None:
            raise self.scan.error("expected a reference")
        return reference

    def reference(self) -> Reference | None:
        """The reference here; None, with nothing taken, where the `$` is just a dollar."""
        scan, start = self.scan, self.scan.position
        if not scan.take("$"):
            return None
        quiet = scan.take("!")
        formal = scan.take("{")
        root = scan.match(IDENTIFIER)
        if root is None:
            scan.position = start
            return None
        steps: list[Step] = []
        while (step := self.step()) is not None:
            steps.append(step)
        if formal and not scan.take("}"):
            scan.position = start
            return None
        return Reference(scan.source[start : scan.position], root[0], tuple(steps), quiet)

    def step(self) -> Step | None:
        scan, start = self.scan, self.scan.position
        if scan.take("["):
            value = self.expression()
            scan.expect("]")
            return Index(value)
        if not scan.take("."):
            return None
        name = scan.match(IDENTIFIER)
        if name is None:
            scan.position = start
            return None
        if scan.take("("):
            return Method(name[0], self.items(")"))
        return Property(name[0])

    # -- expressions ------------------------------------------------------------------------------------------------

    def expression(self, level: int = 0) -> Expression:
        if level == len(_LEVELS):
            return self.unary()
        left = self.expression(level + 1)
        while (operator := self.scan.operator()) is not None and operator in _LEVELS[level]:
            self.scan.take_operator()
            left = Binary(operator, left, self.expression(level + 1))
        return left

    def unary(self) -> Expression:
        operator = self.scan.operator()
        if operator == "!":
            self.scan.take_operator()
            return Not(self.unary())
        if operator == "-":
            self.scan.take_operator()
            return Negative(self.unary())
        return self.primary()

    def primary(self) -> Expression:
        scan = self.scan
        scan.skip_space()
        if scan.peek("$"):
            return self.required_reference()
        if scan.take("("):
            inner = self.expression()
            scan.expect(")")
            return inner
        if scan.take("["):
            return self.list_or_range()
        if scan.take("{"):
            return self.map()
        if scan.peek('"') or scan.peek("'"):
            return self.string()
        if (number := scan.match(NUMBER)) is not None:
            return self.number(number[0])
        return self.word()

    def number(self, text: str) -> Literal:
        # `1..5` is a range, not the number 1. followed by .5
        return Literal(float(text) if "." in text else int(text))

    def word(self) -> Literal:
        name = self.scan.match(IDENTIFIER)
        if name is None or name[0] not in ("true", "false", "null"):
            raise self.scan.error("expected a value")
        return Literal({"true": True, "false": False, "null": None}[name[0]])

    def string(self) -> Expression:
        """No escapes inside; the quote itself is written twice."""
        scan = self.scan
        quote = scan.source[scan.position]
        start = scan.position + 1
        end = start
        while True:
            end = scan.source.find(quote, end)
            if end < 0:
                raise scan.error("a string without its end")
            if scan.source.startswith(quote, end + 1):
                end += 2
                continue
            break
        text = scan.source[start:end].replace(quote * 2, quote)
        scan.position = end + 1
        if quote == "'" or ("$" not in text and "#" not in text):
            return Literal(text)
        return Interpolated(parse(text))

    def list_or_range(self) -> Expression:
        scan = self.scan
        scan.skip_space()
        if scan.take("]"):
            return ListLiteral(())
        first = self.expression()
        scan.skip_space()
        if scan.take(".."):
            last = self.expression()
            scan.expect("]")
            return RangeLiteral(first, last)
        if scan.take(","):
            return ListLiteral((first, *self.items("]")))
        scan.expect("]")
        return ListLiteral((first,))

    def items(self, closing: str) -> tuple[Expression, ...]:
        scan, found = self.scan, list[Expression]()
        scan.skip_space()
        if scan.take(closing):
            return ()
        while True:
            found.append(self.expression())
            scan.skip_space()
            if not scan.take(","):
                break
        scan.expect(closing)
        return tuple(found)

    def map(self) -> MapLiteral:
        scan, found = self.scan, list[tuple[Expression, Expression]]()
        scan.skip_space()
        if scan.take("}"):
            return MapLiteral(())
        while True:
            key = self.expression()
            scan.expect(":")
            found.append((key, self.expression()))
            scan.skip_space()
            if not scan.take(","):
                break
        scan.expect("}")
        return MapLiteral(tuple(found))


def _add_text(nodes: list[Node], text: str) -> None:
    if nodes and isinstance(nodes[-1], Text):
        nodes[-1] = Text(nodes[-1].text + text)
    else:
        nodes.append(Text(text))
