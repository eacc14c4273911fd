"""`${self:a.b.0}`: another place of the same configuration."""

from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope


def resolve(request: Request, scope: Scope) -> Json | Found:
    return scope.own(tuple(request.address.split(".")) if request.address else ())
