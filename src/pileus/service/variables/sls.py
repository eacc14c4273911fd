"""`${sls:stage}` and `${sls:instanceId}`: facts about this run."""

from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope, VariableError


def resolve(request: Request, scope: Scope) -> Json | Found:
    if request.address == "stage":
        return scope.stage()
    if request.address == "instanceId":
        return scope.instance
    raise VariableError(
        f"${{sls:{request.address or ''}}} does not exist", "there are sls:stage and sls:instanceId"
    )
