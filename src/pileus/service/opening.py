"""Finds the file that configures a service, and reads it: YAML, JSON, or what a program gives.

A program's convention: `serverless.js`, `.cjs`, `.mjs` and `.ts` export the configuration (CommonJS or ES module; the
object, a promise of it, or a function giving one), `serverless.py` has it as a name `serverless`: a dict, or a
function giving one.
"""

import re
from bisect import bisect_right
from pathlib import Path as FilePath

from pileus.service import document
from pileus.service.document import Document
from pileus.service.errors import ConfigError
from pileus.service.marks import Mark, Marks
from pileus.service.programs import Programs, languages
from pileus.service.tree import Json

_SUFFIXES = (".yml", ".yaml", ".json", ".js", ".cjs", ".mjs", ".ts", ".py")


def find(directory: FilePath, name: str | None) -> FilePath:
    """The file named with --config, else the first of serverless.yml, .yaml, .json, .js, .cjs, .mjs, .ts, .py."""
    if name is not None:
        return _named(directory, name)
    for suffix in _SUFFIXES:
        if (file := directory / f"serverless{suffix}").is_file():
            return file
    hint = "run this in the folder of a service, or make one with 'pileus new'"
    raise ConfigError(f"there is no serverless.yml in {directory}", hint=hint)


def _named(directory: FilePath, name: str) -> FilePath:
    file = directory / name
    if not file.is_file():
        raise ConfigError(f"there is no {file}", hint="check the name given with --config")
    if file.suffix not in _SUFFIXES:
        raise ConfigError(f"{name} is of no format that is read here", hint=f"one of: {', '.join(_SUFFIXES)}")
    return file


def read(file: FilePath, programs: Programs) -> Document:
    """The configuration in a file of any format. Raises ConfigError."""
    if file.suffix not in languages.ALL:
        return document.read(file)
    address = ("serverless",) if file.suffix in languages.PYTHON else ()
    value = programs.value(file, address, _no_variables)
    if value is None and address:
        hint = "serverless = {'service': 'my-service', ...}, or def serverless(): return {...}"
        raise ConfigError(f"{file.name} has no name 'serverless'", mark=Mark(file, 1, 1), hint=hint)
    return Document(file, value, Marks(Mark(file, 1, 1), later=lambda: marks_of_program(value, file)))


def _no_variables(variable: str) -> Json:
    raise LookupError(f"{variable} cannot be asked for while the configuration itself is made")


def marks_of_program(value: Json, file: FilePath) -> Marks:
    """Where the keys of a program's value probably stand in it: each after its parent, where its name is found.

    Good enough to point at the line of a mistake; what is made by code keeps the mark of what is around it.
    """
    try:
        text = document.read_text(file)
    except ConfigError:
        return Marks(Mark(file, 1, 1))
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    return _Search(file, text, starts).marks(value, 0, None)[0]


class _Search:
    def __init__(self, file: FilePath, text: str, starts: list[int]) -> None:
        self.file = file
        self.text = text
        self.starts = starts

    def mark(self, offset: int) -> Mark:
        line = self._line(offset)
        return Mark(self.file, line + 1, offset - self.starts[line] + 1)

    def _line(self, offset: int) -> int:
        return bisect_right(self.starts, offset) - 1

    def marks(self, value: Json, offset: int, key: Mark | None) -> tuple[Marks, int]:
        """The marks of a value that begins after `offset`, and where it ends, as far as that can be told."""
        node = Marks(key or self.mark(offset), key)
        if isinstance(value, dict):
            node.children = {}
            for name, inner in value.items():
                found = re.compile(rf"(?<![\w$-])['\"]?({re.escape(name)})['\"]?\s*[:=(]").search(
                    self.text, offset
                )
                if found:
                    node.children[name], offset = self.marks(inner, found.end(), self.mark(found.start(1)))
        elif isinstance(value, list):
            node.children = {}
            for position, inner in enumerate(value):
                node.children[position], offset = self.marks(inner, offset, None)
        return node, offset
