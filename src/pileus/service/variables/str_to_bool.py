"""`${strToBool(value)}`: true, false, 1 or 0 as text → a boolean."""

from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope, VariableError

_WORDS = {"true": True, "1": True, "false": False, "0": False}


def resolve(request: Request, scope: Scope) -> Json | Found:
    if not request.params:
        raise VariableError("strToBool needs a value in its brackets", "${strToBool(${env:FLAG})}")
    word = request.params[0].strip().lower()
    if word not in _WORDS:
        raise VariableError(f"strToBool understands true, false, 1 and 0, not '{request.params[0]}'")
    return Found(_WORDS[word])
