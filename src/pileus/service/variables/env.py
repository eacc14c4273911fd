"""`${env:NAME}`: an environment variable, `.env` files included when `useDotenv` is set."""

from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope


def resolve(request: Request, scope: Scope) -> Json | Found:
    if not request.address:
        return Found(dict(scope.environ))
    return scope.environ.get(request.address)
