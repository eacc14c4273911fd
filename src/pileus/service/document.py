"""One YAML or JSON file → plain data and the marks of every value.

libyaml composes the node graph; values follow `scalars`, CloudFormation's short tags (`!Ref`, `!GetAtt a.b`) are
written out in their long form, `<<` merges, and a duplicate key is an error. Keys are always text, and keys that
look like array indexes come first, in order, as in a JSON object of JavaScript: lists made from such objects
(status codes) depend on it.
"""

import json
from dataclasses import dataclass
from pathlib import Path as FilePath

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined, unused-ignore]
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pileus.service import scalars
from pileus.service.errors import ConfigError, did_you_mean
from pileus.service.marks import Mark, Marks
from pileus.service.tree import Json

_SHORT_NAMES = (
    *("And", "Base64", "Cidr", "Condition", "Equals", "FindInMap", "GetAZs", "GetAtt", "If", "ImportValue"),
    *("Join", "Not", "Or", "Ref", "Select", "Split", "Sub"),
)
#: Short tag → long form. `!Condition` and `!Ref` have no `Fn::`.
_SHORT = {f"!{name}": name if name in ("Ref", "Condition") else f"Fn::{name}" for name in _SHORT_NAMES}
_YAML = "tag:yaml.org,2002:"
_PLAIN = "plain"
_MERGE = "<<"
_DEEPEST = 200
#: What libyaml says → what helps.
_REMEDIES = {
    "cannot start any token": "indent with spaces, not tabs, and quote a value that begins with @, ` or %",
    "mapping values are not allowed": "check the indentation, or quote a value that contains ': '",
    "expected <block end>": "check the indentation of this line against the one above",
    "undefined alias": "quote a value that begins with *",
    "found another document": "keep one document in the file: remove the line '---'",
}


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds. `value` is None for an empty file."""

    file: FilePath
    value: Json
    marks: Marks


def read(file: FilePath) -> Document:
    """Parse a .yml, .yaml, .json or .tfstate file. Raises ConfigError for what cannot be read or parsed."""
    text = read_text(file)
    return parse_json(text, file) if file.suffix in (".json", ".tfstate") else parse_yaml(text, file)


def read_text(file: FilePath) -> str:
    """The text of a file; bytes that are not UTF-8 show as U+FFFD. Raises ConfigError when it cannot be read."""
    try:
        return file.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from error


def parse_json(text: str, file: FilePath) -> Document:
    """JSON text → Document; the marks are found only when a mistake asks for them."""
    try:
        value = json.loads(
            text,
            parse_int=lambda digits: scalars.number(int(digits) if len(digits) < 400 else float(digits)),
            parse_float=lambda digits: scalars.number(float(digits)),
            parse_constant=_refuse_constant,
            object_pairs_hook=_json_object,
        )
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"not valid JSON: {error.msg}", mark=Mark(file, error.lineno, error.colno)
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"not valid JSON: {error}", mark=Mark(file, 1, 1)) from error
    start = Mark(file, 1, 1)
    return Document(file, value, Marks(start, later=lambda: _json_marks(text, file)))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _json_object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    return _index_keys_first(dict(pairs))


def _json_marks(text: str, file: FilePath) -> Marks:
    try:
        return parse_yaml(text.replace("\t", " "), file).marks
    except ConfigError:
        return Marks(Mark(file, 1, 1))


def parse_yaml(text: str, file: FilePath) -> Document:
    """YAML text → Document. Raises ConfigError with the place of the mistake."""
    try:
        loader = _Composer(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
        if node is None:
            return Document(file, None, Marks(Mark(file, 1, 1)))
        value, marks = _Construction(file).build(node)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, file) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        raise ConfigError(f"not valid YAML: {error.reason}", mark=Mark(file, line, column)) from error
    except RecursionError as error:
        raise ConfigError("nested too deeply", mark=Mark(file, 1, 1)) from error
    return Document(file, value, marks)


def _syntax_error(error: yaml.MarkedYAMLError, file: FilePath) -> ConfigError:
    at = error.problem_mark or error.context_mark
    problem = (error.problem or error.context or "cannot be parsed").removeprefix("but ")
    hint = None
    if error.context_mark and at and error.context_mark.line != at.line:
        begun = (error.context or "").removeprefix("while parsing ").removeprefix("while scanning ")
        hint = f"{begun} begins in line {error.context_mark.line + 1}: is it closed?"
    for words, remedy in _REMEDIES.items():
        if words in problem:
            hint = remedy
    return ConfigError(
        f"not valid YAML: {problem}", mark=Mark(file, at.line + 1, at.column + 1) if at else None, hint=hint
    )


class _Composer(CParser):
    """libyaml's parser with only the resolving that is wanted: which scalars were plain."""

    depth = 0

    def descend_resolver(self, parent: Node | None, index: Node | int | None) -> None:
        # libyaml's own recursion is in C, where too deep a nesting ends the process.
        self.depth += 1
        if self.depth > _DEEPEST:
            raise RecursionError

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool] | bool) -> str:
        if kind is ScalarNode and isinstance(implicit, tuple) and implicit[0]:
            return _PLAIN
        return ""


class _Construction:
    """Node graph → data and marks; an aliased collection is built once and shared."""

    def __init__(self, file: FilePath) -> None:
        self.file = file
        self.built: dict[int, tuple[Json, Marks]] = {}
        self.open: set[int] = set()

    def build(self, node: Node) -> tuple[Json, Marks]:
        at = node.start_mark
        mark = Mark(self.file, at.line + 1, at.column + 1)
        tag = node.tag
        if tag and tag is not _PLAIN and tag not in ("", "!"):
            return self.tagged(node, tag, mark)
        if isinstance(node, ScalarNode):
            return (scalars.plain(node.value) if tag is _PLAIN else node.value), Marks(mark)
        return self.collection(node, mark)

    def collection(self, node: Node, mark: Mark) -> tuple[Json, Marks]:
        identity = id(node)
        if identity in self.built:
            return self.built[identity]
        if identity in self.open:
            raise ConfigError("an anchor that contains itself", mark=mark)
        self.open.add(identity)
        if isinstance(node, SequenceNode):
            result = self.sequence(node, mark)
        else:
            assert isinstance(node, MappingNode)
            result = self.mapping(node, mark)
        self.open.discard(identity)
        self.built[identity] = result
        return result

    def sequence(self, node: SequenceNode, mark: Mark) -> tuple[Json, Marks]:
        values: list[Json] = []
        children: dict[str | int, Marks] = {}
        for index, item in enumerate(node.value):
            value, marks = self.build(item)
            values.append(value)
            children[index] = marks
        return values, Marks(mark, children=children)

    def mapping(self, node: MappingNode, mark: Mark) -> tuple[Json, Marks]:
        values: dict[str, Json] = {}
        children: dict[str | int, Marks] = {}
        merged: set[str] = set()
        indexes = False
        for key_node, value_node in node.value:
            at = key_node.start_mark
            key_mark = Mark(self.file, at.line + 1, at.column + 1)
            key = self.key(key_node, key_mark)
            if key == _MERGE and key_node.tag is _PLAIN:
                self.merge(value_node, values, children, merged)
                continue
            if key in values and key not in merged:
                raise ConfigError(
                    f"the key '{key}' occurs twice", mark=key_mark, hint="remove or rename one of them"
                )
            merged.discard(key)
            value, marks = self.build(value_node)
            values[key] = value
            children[key] = Marks(marks.mark, key_mark, marks.children, marks.later)
            indexes = indexes or key[:1].isdigit()
        return (_index_keys_first(values) if indexes else values), Marks(mark, children=children)

    def key(self, node: Node, mark: Mark) -> str:
        if isinstance(node, SequenceNode) and all(isinstance(item, ScalarNode) for item in node.value):
            return scalars.joined([self.build(item)[0] for item in node.value])
        if not isinstance(node, ScalarNode):
            hint = "quote a text that begins with {" if isinstance(node, MappingNode) else None
            raise ConfigError("a key must be a single value, not a list or an object", mark=mark, hint=hint)
        return scalars.as_text(scalars.plain(node.value)) if node.tag is _PLAIN else node.value

    def merge(
        self, node: Node, values: dict[str, Json], children: dict[str | int, Marks], merged: set[str]
    ) -> None:
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            at = source.start_mark
            if not isinstance(source, MappingNode):
                raise ConfigError(
                    "'<<' merges objects only", mark=Mark(self.file, at.line + 1, at.column + 1)
                )
            value, marks = self.build(source)
            for key, item in value.items():
                if key not in values:
                    values[key] = item
                    children[key] = (marks.children or {})[key]
                    merged.add(key)

    def tagged(self, node: Node, tag: str, mark: Mark) -> tuple[Json, Marks]:
        if tag in _SHORT:
            return self.short(node, _SHORT[tag], mark)
        if tag.startswith(_YAML):
            return self.standard(node, tag[len(_YAML) :], mark)
        hint = did_you_mean(tag, _SHORT)
        if tag in ("!ToJsonString", "!Transform", "!Length", "!ForEach"):
            hint = f"write it in its long form, 'Fn::{tag[1:]}:'"
        raise ConfigError(f"unknown tag {tag}", mark=mark, hint=hint)

    def short(self, node: Node, name: str, mark: Mark) -> tuple[Json, Marks]:
        if isinstance(node, ScalarNode):
            # The text as written: `!Ref 012` names 012, and style does not matter.
            if not node.value and not node.style:
                inner: Json = None
            elif name == "Fn::GetAtt":
                logical_id, _, attribute = node.value.partition(".")
                inner = [logical_id, attribute]
            else:
                inner = node.value
            marks = Marks(mark)
        else:
            inner, marks = self.collection(node, mark)
        return {name: inner}, Marks(mark, children={name: Marks(mark, mark, marks.children)})

    def standard(self, node: Node, name: str, mark: Mark) -> tuple[Json, Marks]:
        if isinstance(node, ScalarNode):
            if name == "str":
                return node.value, Marks(mark)
            if name in ("int", "float", "bool", "null", "timestamp"):
                return scalars.plain(node.value), Marks(mark)
        elif name in ("map", "seq", "set") or (
            name == "omap" and isinstance(node, SequenceNode) and all(map(_is_pair, node.value))
        ):
            return self.collection(node, mark)
        raise ConfigError(f"the tag !!{name} is not understood here", mark=mark)


def _is_pair(node: Node) -> bool:
    return isinstance(node, MappingNode) and len(node.value) == 1


def _index_keys_first(values: dict[str, Json]) -> dict[str, Json]:
    indexes = [key for key in values if _is_index(key)]
    if not indexes:
        return values
    indexes.sort(key=int)
    return {**{key: values[key] for key in indexes}, **values}


def _is_index(key: str) -> bool:
    return (
        len(key) <= 10
        and key.isascii()
        and key.isdigit()
        and (key == "0" or key[0] != "0")
        and int(key) < 2**32 - 1
    )
