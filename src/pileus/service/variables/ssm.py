"""`${ssm:/path/name}`, `${ssm(region, raw):...}`: a parameter, or a secret under
`/aws/reference/secretsmanager/`, which is read as JSON when it is JSON. A StringList is a list.
"""

import json

from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope, VariableError

_SECRET = "/aws/reference/secretsmanager"


def resolve(request: Request, scope: Scope) -> Json | Found:
    if not request.address:
        raise VariableError("ssm needs the name of a parameter", "${ssm:/path/to/parameter}")
    flags = {"raw", "noDecrypt"} & set(request.params)
    region = next((param for param in request.params if param not in flags), None)
    remote = scope.need_remote(request)
    found = remote.parameter(request.address, region, decrypt="noDecrypt" not in flags)
    if found is None:
        return None
    kind, value = found
    if "raw" in flags:
        return value
    if kind == "StringList":
        return list(value.split(","))
    if request.address.startswith(_SECRET):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
