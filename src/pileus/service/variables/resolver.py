"""Replaces every variable in a configuration by its value, in place, and finds all that fail in one go.

Resolution is lazy and memoised: a place is resolved when something asks for it, its result is written back into
the tree, and a place that is asked for while it is being resolved is a circle. Files are trees of their own, so
`${file(a.yml):b}` resolves only what it needs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path as FilePath

from pileus.service import scalars
from pileus.service.document import Document
from pileus.service.errors import ConfigError, did_you_mean
from pileus.service.marks import Mark, Marks
from pileus.service.programs import Programs
from pileus.service.tree import MISSING, Json, Path, child, copy, count, dotted
from pileus.service.variables import ahead
from pileus.service.variables.absence import missing
from pileus.service.variables.source import Found, RemoteResolver, Request, Scope, VariableError
from pileus.service.variables.syntax import Literal, Source, Template, Variable, VariableSyntaxError, parse

#: Source type → the module beside this one that resolves it.
SOURCES = {
    "self": "own",
    "opt": "opt",
    "env": "env",
    "file": "file",
    "sls": "sls",
    "param": "param",
    "strToBool": "str_to_bool",
    "aws": "aws",
    "cf": "cf",
    "ssm": "ssm",
    "s3": "s3",
    "git": "git",
}


Origin = tuple[FilePath, tuple[str, ...]]
_LONGEST_TEXT = 10_000_000
#: Values in all copies that variables make.
_MOST_COPIES = 2_000_000


class Failed(Exception):
    """A value depends on one whose error is reported already."""


class MissingValue(VariableError):
    """No source of a variable has a value."""


@dataclass(slots=True)
class Tree:
    """One document being resolved: which places are done, and which are under way."""

    document: Document
    value: Json
    done: set[Path] = field(default_factory=set)
    failed: set[Path] = field(default_factory=set)
    #: The places that came from a file, and from which address in it.
    origins: dict[Path, Origin] = field(default_factory=dict)

    @property
    def marks(self) -> Marks:
        return self.document.marks


class Resolver:
    """Resolves one configuration; `errors` holds what went wrong, `files` every file that was read."""

    def __init__(
        self,
        main: Document,
        *,
        directory: FilePath,
        options: Mapping[str, str],
        params: Mapping[str, str],
        environ: Mapping[str, str],
        remote: RemoteResolver | None,
        programs: Programs,
        instance: str,
    ) -> None:
        self.main = Tree(main, main.value)
        self.errors: list[ConfigError] = []
        self.files: set[FilePath] = set()
        self._trees: dict[FilePath, Tree] = {}
        self._under_way: list[tuple[Tree, Path]] = []
        self._copies = 0
        self._opened: list[Origin] = []  # addresses of files whose values are being put into texts
        self._sources: dict[str, Callable[[Request, Scope], Json | Found]] = {}
        self._absent: Sequence[str] = ()
        self._ahead: dict[Request, ahead.Outcome] = {}
        self.scope = Scope(
            directory=directory,
            options=options,
            params=params,
            environ=environ,
            remote=remote,
            own=lambda address: self._found(self.main, address),
            inside=self._inside,
            note=self.files.add,
            export=lambda file, address: programs.value(file, address, self._ask),
            instance=instance,
        )

    def extend(
        self, sources: Mapping[str, Callable[[Request, Scope], Json | Found]], absent: Sequence[str]
    ) -> None:
        """Add the sources of plugins; `absent` names the plugins that are missing, one of which may bring a source."""
        self._sources.update(sources)
        self._absent = absent

    def resolve(self) -> Json:
        """The whole configuration without variables (as far as `errors` is empty)."""
        self._ask_ahead()
        self._settle(self.main, (), self.main.value)
        return self.main.value

    def _ask_ahead(self) -> None:
        if self.scope.remote is None or not self.scope.remote.parallel:
            return
        requests = ahead.questions(self.main.value)
        if len(requests) < 2:
            return
        try:
            self.scope.place()  # resolved here, so that the threads only read
        except Failed:
            return
        self._ahead = ahead.ask(requests, self.scope)

    def value_at(self, *path: str) -> Json:
        """One place of the configuration, resolved; None when it is missing or fails."""
        try:
            found = self._found(self.main, path).value
        except Failed:
            return None
        return None if found is MISSING else found

    # Walking and settling a tree

    def _settle(self, tree: Tree, path: Path, value: Json) -> bool:
        """Resolve everything at and under `path`; false when something in it failed."""
        if path in tree.done:
            return True
        if isinstance(value, str):
            if "${" not in value:
                return True
            try:
                found = self._leaf(tree, path, value)
            except Failed:
                return False
            return found.origin is None or self._settle(tree, path, found.value)
        if not isinstance(value, (dict, list)):
            return True
        fine = True
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            if item.__class__ is str:
                if "${" in item and not self._settle(tree, (*path, key), item):
                    fine = False
            elif (item.__class__ is dict or item.__class__ is list) and not self._settle(
                tree, (*path, key), item
            ):
                fine = False
        if fine:
            tree.done.add(path)
        return fine

    def _leaf(self, tree: Tree, path: Path, text: str) -> Found:
        """Resolve one text in place and return what came of it. Raises Failed."""
        if path in tree.failed:
            raise Failed
        here = (tree, path)
        for position, (other, at) in enumerate(self._under_way):
            if other is tree and at == path:
                self._circle(self._under_way[position:])
                raise Failed
        self._under_way.append(here)
        try:
            found = self._text(text)
            _no_file_circle(tree, path, found)
        except (VariableError, VariableSyntaxError, ConfigError) as error:
            tree.failed.add(path)
            self._report(tree, path, text, error)
            raise Failed from error
        except Failed:
            tree.failed.add(path)
            raise
        finally:
            self._under_way.pop()
        self._put(tree, path, found)
        return found

    def _put(self, tree: Tree, path: Path, found: Found) -> None:
        if found.origin is None:
            tree.done.add(path)
        else:
            tree.origins[path] = found.origin
        if not path:
            tree.value = found.value
            return
        parent = tree.value
        for part in path[:-1]:
            parent = parent[part]
        parent[path[-1]] = found.value
        if found.marks is not None and isinstance(found.value, (dict, list)):
            tree.marks.graft(path, found.marks)

    def _found(self, tree: Tree, address: Path) -> Found:
        """The resolved value at an address; MISSING when there is none. Raises Failed."""
        steps, value, settled = self._reach(tree, address)
        if value is MISSING:
            return Found(MISSING)
        if not settled and not self._settle(tree, steps, value):
            raise Failed
        return Found(
            self._copied(value), self._marks_at(tree, steps) if isinstance(value, (dict, list)) else None
        )

    def _copied(self, value: Json) -> Json:
        """A copy of a value, as long as all copies together are of a size that somebody may have meant."""
        if not isinstance(value, (dict, list)):
            return value
        self._copies += count(value)
        if self._copies > _MOST_COPIES:
            raise VariableError(
                "what variables put in grows beyond all bounds",
                "variables that double one another are a mistake",
            )
        return copy(value)

    def _reach(self, tree: Tree, address: Path) -> tuple[Path, Json, bool]:
        """The place of an address, its value (or MISSING), and whether all in it is resolved; resolves the way there."""
        value = tree.value
        settled = () in tree.done
        if isinstance(value, str) and "${" in value and not settled:
            found = self._leaf(tree, (), value)
            value, settled = found.value, found.origin is None
        steps: Path = ()
        for part in address:
            inner = child(value, part)
            if inner is MISSING:
                return steps, MISSING, True
            steps = (*steps, int(part) if isinstance(value, list) else part)
            value = inner
            settled = settled or steps in tree.done
            if isinstance(value, str) and "${" in value and not settled:
                found = self._leaf(tree, steps, value)
                value, settled = found.value, found.origin is None
        return steps, value, settled

    def _marks_at(self, tree: Tree, path: Path) -> Marks | None:
        node: Marks | None = tree.marks
        for part in path:
            node = node.child(part) if node else None
        return node

    def _inside(self, document: Document, address: tuple[str, ...]) -> Found:
        tree = self._trees.setdefault(document.file, Tree(document, document.value))
        steps, value, settled = self._reach(tree, address)
        if not isinstance(value, (dict, list)):
            return Found(value)
        origin = None if settled else (document.file, address)
        return Found(self._copied(value), self._marks_at(tree, steps), origin)

    def _whole(self, found: Found) -> Json:
        """The value of what was found, everything in it resolved."""
        if found.origin is None:
            return found.value
        _refuse_circle(self._opened, found.origin)
        document = Document(found.origin[0], found.value, found.marks or self.main.marks)
        self._opened.append(found.origin)
        try:
            return self._found(Tree(document, found.value), ()).value
        finally:
            self._opened.pop()

    # Evaluating a text

    def _text(self, text: str) -> Found:
        return self._template(parse(text))

    def _template(self, template: Template) -> Found:
        if len(template) == 1:
            only = template[0]
            return Found(only) if isinstance(only, str) else self._variable(only)
        text = "".join(part if isinstance(part, str) else self._inline(part) for part in template)
        if len(text) > _LONGEST_TEXT:
            raise VariableError(
                "its text grows beyond 10 MB", "variables that double one another are a mistake"
            )
        return Found(text)

    def _inline(self, variable: Variable) -> str:
        value = self._whole(self._variable(variable))
        if isinstance(value, list):
            return scalars.joined(value)
        if value is None or isinstance(value, dict):
            kind = "null" if value is None else "an object"
            raise VariableError(f"{variable.text} is {kind} and cannot be part of a text")
        return scalars.as_text(value)

    def _variable(self, variable: Variable) -> Found:
        last: Found | None = None
        asked: Request | None = None
        for source in variable.sources:
            if isinstance(source, Literal):
                text = isinstance(source.value, str) and "${" in source.value
                last = self._text(source.value) if text else Found(source.value)
            else:
                asked = self._request(source, variable)
                last = self._source(source, asked)
            if last.value is not MISSING and last.value is not None:
                return last
        if isinstance(variable.sources[-1], Literal) and last is not None:
            return last  # `null` written out as the last resort is a value
        raise MissingValue(*missing(variable, asked, self.main.value, self.scope.directory))

    def _request(self, source: Source, variable: Variable) -> Request:
        params = tuple(scalars.as_text(self._piece(param)) for param in source.params or ())
        address = None if source.address is None else scalars.as_text(self._piece(source.address))
        return Request(source.type, params, address, variable.text)

    def _source(self, source: Source, request: Request) -> Found:
        resolve = self._sources.get(source.type)
        if resolve is None:
            if source.type not in SOURCES:
                known = did_you_mean(source.type, SOURCES) or f"sources are {', '.join(SOURCES)}"
                if self._absent:
                    known += f"; it may be one of {' or '.join(self._absent)}, which Pileus does not have"
                raise VariableError(f"unknown variable source '{source.type}' in {request.text}", known)
            resolve = import_module(f"pileus.service.variables.{SOURCES[source.type]}").resolve
            self._sources[source.type] = resolve
        found = self._ahead[request] if request in self._ahead else resolve(request, self.scope)
        if isinstance(found, VariableError):
            raise found
        again = source.type == "self" or not isinstance(found, Found)  # a text may be a variable in turn
        found = found if isinstance(found, Found) else Found(found)
        return self._text(found.value) if again and _may_vary(found.value) else found

    def _piece(self, template: Template) -> Json:
        """A param or an address, its variables resolved."""
        value = self._template(template).value
        if isinstance(value, (dict, list)):
            raise VariableError("an object or a list cannot be part of an address")
        return value

    def _ask(self, variable: str) -> Json:
        try:
            return self._whole(self._text("${" + variable + "}"))
        except VariableSyntaxError as error:
            raise VariableError(str(error)) from error
        except Failed as error:
            raise VariableError(f"{variable} cannot be resolved") from error

    # Reporting

    def _report(self, tree: Tree, path: Path, text: str, error: Exception) -> None:
        if isinstance(error, ConfigError):  # in a file that was read: it has its own mark
            told = error
            told.mark = error.mark or self._mark(tree, path, text)
            told.path = error.path or path
        else:
            hint = error.hint if isinstance(error, VariableError) else None
            told = ConfigError(str(error), path=path, mark=self._mark(tree, path, text), hint=hint)
        # What is wrong in a file is told once, however often the file is put somewhere.
        if (told.mark, told.message) not in {(known.mark, known.message) for known in self.errors}:
            self.errors.append(told)

    def _circle(self, way: list[tuple[Tree, Path]]) -> None:
        for tree, path in way:
            tree.failed.add(path)
        tree, path = way[0]
        names = " → ".join(dotted(at) or each.document.file.name for each, at in [*way, way[0]])
        mark = self._mark(tree, path, "${")
        self.errors.append(ConfigError(f"a circle of variables: {names}", path=path, mark=mark))

    def _mark(self, tree: Tree, path: Path, text: str) -> Mark:
        """The mark of a text, moved on to its first `${` when that stands on the same line."""
        mark = tree.marks.find(path)
        ahead = text.find("${")
        if ahead <= 0 or "\n" in text[:ahead]:
            return mark
        try:
            line = mark.file.read_text("utf-8", "replace").splitlines()[mark.line - 1]
        except (OSError, IndexError):
            return mark
        at = line.find("${", mark.column - 1)
        return Mark(mark.file, mark.line, at + 1) if at >= 0 else mark


def _may_vary(value: Json) -> bool:
    return isinstance(value, str) and "${" in value


def _no_file_circle(tree: Tree, path: Path, found: Found) -> None:
    """Refuse a file that is put into itself, which would go on without end."""
    if found.origin is None:
        return
    above = [tree.origins[path[:steps]] for steps in range(len(path)) if path[:steps] in tree.origins]
    _refuse_circle(above, found.origin)


def _refuse_circle(above: list[Origin], origin: Origin) -> None:
    if origin in above:
        way = [*above[above.index(origin) :], origin]
        names = " → ".join(
            f"{file.name}{':' + '.'.join(address) if address else ''}" for file, address in way
        )
        raise VariableError(f"a circle of files: {names}")
