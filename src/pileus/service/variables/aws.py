"""`${aws:accountId}` and `${aws:region}`."""

from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope, VariableError


def resolve(request: Request, scope: Scope) -> Json | Found:
    if request.address == "accountId":
        return scope.need_remote(request).account_id(scope.place())
    if request.address == "region":
        return scope.region()
    raise VariableError(
        f"${{aws:{request.address or ''}}} does not exist", "there are aws:accountId and aws:region"
    )
