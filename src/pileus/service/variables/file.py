"""`${file(path)}` and `${file(path):address}`: YAML, JSON, what a program exports, or the text of any other file.

Paths are relative to the service's directory. A file that is not there is a missing value, so that a fallback
can stand in. Without an address only .js and .cjs are run: the whole of any other program is its text, as in v3,
which has no addresses into those; here they lead to what the program exports.
"""

from pathlib import Path as FilePath

from pileus.service import document
from pileus.service.document import Document
from pileus.service.errors import ConfigError
from pileus.service.marks import Mark, Marks
from pileus.service.programs import languages
from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope, VariableError

_DATA = frozenset((".yml", ".yaml", ".json", ".tfstate"))
_SCRIPTS = frozenset((".js", ".cjs"))


def resolve(request: Request, scope: Scope) -> Json | Found:
    if not request.params:
        raise VariableError("file needs a path in its brackets", "${file(settings.yml):some.key}")
    file = FilePath(scope.directory, FilePath(request.params[0]).expanduser()).resolve()
    scope.note(file)
    if not file.exists():
        return None
    address = tuple(request.address.split(".")) if request.address else ()
    if file.suffix in _DATA:
        return _data(file, address, scope)
    if file.suffix in _SCRIPTS or (address and file.suffix in languages.ALL):
        value = scope.export(file, address)
        start = Marks(Mark(file, 1, 1))
        return scope.inside(Document(file.joinpath(*address), value, start), ())
    text = _text(file)
    return None if address else text


def _data(file: FilePath, address: tuple[str, ...], scope: Scope) -> Json | Found:
    read = document.read(file)
    if read.value is None and file.suffix not in (".json", ".tfstate"):
        raise VariableError(f"{file.name} is empty")
    return scope.inside(read, address)


def _text(file: FilePath) -> str:
    try:
        return document.read_text(file)
    except ConfigError as error:
        raise VariableError(error.message) from error
