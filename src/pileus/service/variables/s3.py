"""`${s3:bucket/key}`: the text of an object in the cloud."""

from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope, VariableError


def resolve(request: Request, scope: Scope) -> Json | Found:
    bucket, slash, key = (request.address or "").partition("/")
    if not (bucket and slash and key):
        raise VariableError("s3 needs an address of the form bucket/key", "${s3:my-bucket/path/file.txt}")
    return scope.need_remote(request).object_text(bucket, key, scope.place())
