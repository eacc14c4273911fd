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

    @property
    def is_vpc_link(self) -> bool:
        return _is_vpc_link(self.get("connectionType"))

    def get(self, *keys: str) -> Json:
        return get(self.event.config, *keys)


def endpoints(c: Compilation, uses: list[tuple[Function, Event]]) -> list[Endpoint]:
    found: list[Endpoint] = []
    for function, event in uses:
        method: Json
        path: Json
        if isinstance(event.config, str):
            method, _, path = event.config.strip().partition(" ")
            path = path.strip() or None
        else:
            method, path = event.get("method"), event.get("path")
        if not isinstance(method, str) or not isinstance(path, str):
            c.mistake("an http event needs a 'method' and a 'path'", event.path, "http: GET /users")
            continue
        integration = _integration(c, event)
        if integration is None:
            continue
        method = method.upper()
        cors = cors_of(event.get("cors"), method)
        authorizer = authorizer_of(c, event)
        found.append(Endpoint(function, event, method, path.strip("/"), integration, cors, authorizer))
    return found


def _integration(c: Compilation, event: Event) -> str | None:
    written = event.get("integration")
    if not written:
        # Only with templates can a request be answered before the function is done.
        return "AWS" if get(event.config, "async") else "AWS_PROXY"
    integration = _INTEGRATIONS.get(str(written).upper().replace("_", "-"))
    path = (*event.path, "integration")
    if integration is None:
        c.mistake(
            f"'{written}' is not an integration", path, "lambda-proxy, lambda, http, http-proxy or mock"
        )
    else:
        _check(c, event, written, integration)
    return integration


def _check(c: Compilation, event: Event, written: str, integration: str) -> None:
    """What the integrations need that do not end at a function of their own accord."""
    path = (*event.path, "integration")
    response = event.get("response")
    if integration in ("HTTP", "HTTP_PROXY"):
        if not event.get("request", "uri"):
            c.mistake(f"the integration '{written}' needs 'request.uri'", path)
        if _is_vpc_link(event.get("connectionType")) and not event.get("connectionId"):
            c.mistake("a VPC link needs its 'connectionId'", (*event.path, "connectionType"))
    if integration == "HTTP" and response is None:
        hint = "response: {statusCodes: {200: {pattern: ''}}}"
        c.mistake(f"the integration '{written}' needs a 'response'", path, hint)
    if integration == "MOCK" and response is not None and get(response, "statusCodes") is None:
        message = "the response of a mock needs 'statusCodes'"
        c.mistake(message, (*event.path, "response"), "statusCodes: {200: {pattern: ''}}")


def _is_vpc_link(connection_type: Json) -> bool:
    return str(connection_type).upper().replace("-", "_") == "VPC_LINK"
