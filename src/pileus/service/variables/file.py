"""`${file(path)}` and `${file(path):address}`: YAML, JSON, the text of any other file, or what a program exports.

Paths are relative to the service's directory. A file that is not there is a missing value, so that a fallback
can stand in.
"""

from pathlib import Path as FilePath

from pileus.service import document
from pileus.service.errors import ConfigError
from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope, VariableError

_DATA = frozenset((".yml", ".yaml", ".json"))
_SCRIPTS = frozenset((".js", ".cjs", ".mjs"))


def resolve(request: Request, scope: Scope) -> Json | Found:
    if len(request.params) != 1:
        raise VariableError("file needs one path in its brackets", "${file(settings.yml):some.key}")
    file = FilePath(scope.directory, FilePath(request.params[0]).expanduser()).resolve()
    scope.note(file)
    if not file.is_file():
        return None
    address = tuple(request.address.split(".")) if request.address else ()
    suffix = file.suffix.lower()
    if suffix in _DATA:
        return scope.inside(document.read(file), address)
    if suffix in _SCRIPTS:
        from pileus.service.variables import script

        return script.exported(file, address, scope)
    if suffix in (".ts", ".py"):
        raise VariableError(f"a {suffix} file cannot be asked for values yet", "use .yml, .json or .js")
    text = _text(file)
    if address:
        raise VariableError(f"{request.params[0]} is plain text and has no '{request.address}' inside")
    return text


def _text(file: FilePath) -> str:
    try:
        return document.read_text(file)
    except ConfigError as error:
        raise VariableError(error.message) from error
