"""One `http` event in one form, whatever the short hand it was written in."""

from dataclasses import dataclass

from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.http.authorizers import Authorizer, authorizer_of
from pileus.compile.events.http.cors import Cors, cors_of
from pileus.service.model import Event, Function
from pileus.service.tree import Json, get

_INTEGRATIONS = {
    "LAMBDA": "AWS",
    "AWS": "AWS",
    "LAMBDA-PROXY": "AWS_PROXY",
    "AWS-PROXY": "AWS_PROXY",
    "HTTP": "HTTP",
    "HTTP-PROXY": "HTTP_PROXY",
    "MOCK": "MOCK",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method of a path. `method` is in capitals, `path` without slashes at its ends."""

    function: Function
    event: Event
    method: str
    path: str
    integration: str
    cors: Cors | None
    authorizer: Authorizer | None

    @property
    def id(self) -> str:
        return naming.rest_method(self.path, self.method)

    def get(self, *keys: str) -> Json:
        return get(self.event.config, *keys)


def endpoints(c: Compilation, uses: list[tuple[Function, Event]]) -> list[Endpoint]:
    found: list[Endpoint] = []
    for function, event in uses:
        method: Json
        path: Json
        if isinstance(event.config, str):
            method, _, path = event.config.strip().partition(" ")
            if not path:
                method, path = "ANY", "/" if method == "*" else method
        else:
            method, path = event.get("method"), event.get("path")
        if not isinstance(method, str) or not isinstance(path, str):
            c.mistake("an http event needs a 'method' and a 'path'", event.path, "http: GET /users")
            continue
        integration = _integration(c, event)
        if integration is None:
            continue
        method = method.upper()
        if get(event.config, "async") and integration != "AWS":
            message = "asynchronous http events need the integration 'lambda', which cannot be compiled yet"
            c.mistake(message, (*event.path, "async"), "send a message to a queue instead")
            continue
        cors = cors_of(event.get("cors"), method)
        authorizer = authorizer_of(c, event)
        found.append(Endpoint(function, event, method, path.strip("/"), integration, cors, authorizer))
    return found


def _integration(c: Compilation, event: Event) -> str | None:
    written = event.get("integration")
    if not written:
        return "AWS_PROXY"
    integration = _INTEGRATIONS.get(str(written).upper().replace("_", "-"))
    path = (*event.path, "integration")
    if integration is None:
        c.mistake(f"'{written}' is not an integration", path, "lambda-proxy, http, http-proxy or mock")
    if integration == "AWS":
        message = f"the integration '{written}' cannot be compiled yet"
        c.mistake(message, path, "lambda-proxy can, and gives the function the whole request")
        return None
    if integration in ("HTTP", "HTTP_PROXY") and not event.get("request", "uri"):
        c.mistake(f"the integration '{written}' needs 'request.uri'", path)
    return integration
