"""A resource for every part of every path; parts that exist in an API from elsewhere are taken from there."""

from typing import TYPE_CHECKING

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.http.rest_api import Api
from pileus.service.tree import Json

if TYPE_CHECKING:
    from pileus.compile.events.http.endpoint import Endpoint


def compile_paths(c: Compilation, api: Api, found: list["Endpoint"]) -> dict[str, Json]:
    """Path → the id of its resource, as a template value."""
    ids: dict[str, Json] = {"": api.root, **api.known}
    for endpoint in found:
        parts = endpoint.path.split("/") if endpoint.path else []
        for length in range(1, len(parts) + 1):
            path = "/".join(parts[:length])
            if path in ids or _leads_to_known(api, path, endpoint.path):
                continue
            parent = ids.get("/".join(parts[: length - 1]))
            if parent is None:
                message = f"'{path}' has no parent in the API from elsewhere"
                hint = "list it in provider.apiGateway.restApiResources, or set restApiRootResourceId"
                c.mistake(message, endpoint.event.path, hint)
                break
            properties = {"ParentId": parent, "PathPart": parts[length - 1], "RestApiId": api.id}
            logical_id = naming.rest_resource(path)
            c.add(logical_id, {"Type": "AWS::ApiGateway::Resource", "Properties": properties})
            ids[path] = fn.ref(logical_id)
    return ids


def _leads_to_known(api: Api, path: str, whole: str) -> bool:
    """Whether a longer part of the same path exists elsewhere, and this one with it."""
    return any(
        known.startswith(f"{path}/") and (whole == known or whole.startswith(f"{known}/"))
        for known in api.known
    )
