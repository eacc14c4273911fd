"""`${cf:stack.Output}` and `${cf(region):stack.Output}`: an output of a stack in the cloud."""

from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope, VariableError


def resolve(request: Request, scope: Scope) -> Json | Found:
    stack, dot, output = (request.address or "").partition(".")
    if not (stack and dot and output):
        raise VariableError("cf needs an address of the form stack.Output", "${cf:my-stack.BucketName}")
    region = request.params[0] if request.params else None
    return scope.need_remote(request).stack_output(stack, output, scope.place(region))
