"""`${aws:accountId}` and `${aws:region}`."""

from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope, VariableError


def resolve(request: Request, scope: Scope) -> Json | Found:
    if request.address == "accountId":
        return scope.need_remote(request).account_id()
    if request.address == "region":
        return region(scope)
    raise VariableError(
        f"${{aws:{request.address or ''}}} does not exist", "there are aws:accountId and aws:region"
    )


def region(scope: Scope) -> str:
    """--region, `provider.region`, AWS_REGION, AWS_DEFAULT_REGION, us-east-1: the first that is given."""
    if option := scope.options.get("region"):
        return option
    written = scope.own(("provider", "region")).value
    if isinstance(written, str) and written:
        return written
    return scope.environ.get("AWS_REGION") or scope.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
