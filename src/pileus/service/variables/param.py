"""`${param:name}`: --param of the command line over `params.<stage>` over `params.default`."""

from pileus.service.tree import MISSING, Json
from pileus.service.variables.source import Found, Request, Scope


def resolve(request: Request, scope: Scope) -> Json | Found:
    name = request.address or ""
    if name in scope.params:
        return scope.params[name]
    for group in (scope.stage(), "default"):
        # A name holds no path: dots in it are part of it.
        found = scope.own(("params", group, name))
        if found.value is not None and found.value is not MISSING:
            return found
    return None
