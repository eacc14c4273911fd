"""`${ssm:/path/name}`, `${ssm(region, raw, noDecrypt):...}`: a parameter, or a secret under
`/aws/reference/secretsmanager/`. A StringList is a list; a SecureString that holds a JSON object is that object;
`raw` leaves both as they are.
"""

import json

from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope, VariableError

_FLAGS = frozenset(("raw", "noDecrypt"))


def resolve(request: Request, scope: Scope) -> Json | Found:
    if not request.address:
        raise VariableError("ssm needs the name of a parameter", "${ssm:/path/to/parameter}")
    region = next((param for param in request.params if param not in _FLAGS), None)
    remote = scope.need_remote(request)
    found = remote.parameter(request.address, scope.place(region), decrypt="noDecrypt" not in request.params)
    if found is None:
        return None
    kind, value = found
    if "raw" in request.params:
        return value
    if kind == "StringList":
        return list(value.split(","))
    return _object(value) if kind == "SecureString" else value


def _object(value: str) -> Json:
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return found if isinstance(found, dict) else value
