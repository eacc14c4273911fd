"""`${opt:name}`: an option of the command line; `${opt:}` is all of them."""

from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope


def resolve(request: Request, scope: Scope) -> Json | Found:
    if not request.address:
        return Found(dict(scope.options))
    return scope.options.get(request.address)
