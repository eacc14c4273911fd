"""What all groups of operations stand on: an API's documents, and what follows from changing them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pileus.cloud.kernel import Call, NotEmulated, Service

from .documents import Document, Documents, Kind
from .errors import NotFoundException

if TYPE_CHECKING:
    from .dataplane.plane import DataPlane

Request = Mapping[str, Any]
Result = dict[str, Any]

#: Maps that an update merges into: a member with an empty value goes.
_MERGED = frozenset({"RequestParameters", "RequestTemplates", "ResponseParameters", "StageVariables"})
_NAMES: Mapping[Kind, str] = {
    Kind.AUTHORIZER: "Authorizer",
    Kind.DEPLOYMENT: "Deployment",
    Kind.INTEGRATION: "Integration",
    Kind.INTEGRATION_RESPONSE: "Integration Response",
    Kind.MODEL: "Model",
    Kind.ROUTE: "Route",
    Kind.ROUTE_RESPONSE: "Route Response",
    Kind.STAGE: "stage",
}


class Operations(Service):
    plane: DataPlane

    def api(self, call: Call, api_id: str) -> Document:
        """Raises NotFoundException for one that there is not in this account and region."""
        found = Documents.of(call).find(Kind.API, api_id)
        if found is None:
            raise NotFoundException(f"Invalid API identifier specified {call.account}:{api_id}")
        return found

    def child(self, call: Call, kind: Kind, api_id: str, item_id: str) -> Document:
        """A document under an API."""
        found = Documents.of(call).find(kind, item_id, api_id)
        if found is None:
            self.api(call, api_id)
            raise NotFoundException(f"Invalid {_NAMES[kind]} identifier specified")
        return found

    def page_under(self, call: Call, kind: Kind, request: Request, prefix: str = "") -> Result:
        self.api(call, request["ApiId"])
        return Documents.of(call).page(kind, request, request["ApiId"], prefix)

    def changed(self, call: Call, api_id: str) -> None:
        """What serves the API forgets what it knows, and its automatically deployed stages get a new deployment."""
        self.plane.forget(api_id)
        documents = Documents.of(call)
        stages = [stage for stage in documents.all(Kind.STAGE, api_id) if stage["AutoDeploy"]]
        if stages:
            deployment = self.auto_deployment(call, documents, api_id)
            for stage in stages:
                documents.delete(Kind.DEPLOYMENT, stage.get("DeploymentId", ""), api_id)
                self.point(stage, deployment, call.now)
                documents.put(Kind.STAGE, stage["StageName"], stage, api_id)

    @staticmethod
    def auto_deployment(call: Call, documents: Documents, api_id: str) -> Document:
        """A deployment without a snapshot: its stages read the API as it stands."""
        deployment: Document = {
            "AutoDeployed": True,
            "CreatedDate": call.now,
            "DeploymentId": call.ids.lower(6),
            "DeploymentStatus": "DEPLOYED",
            "Description": "Automatic deployment triggered by changes to the Api configuration",
        }
        documents.put(Kind.DEPLOYMENT, deployment["DeploymentId"], deployment, api_id)
        return deployment

    @staticmethod
    def point(stage: Document, deployment: Document, now: float) -> None:
        stage["DeploymentId"] = deployment["DeploymentId"]
        stage["LastUpdatedDate"] = now
        if deployment.get("AutoDeployed"):
            stage["LastDeploymentStatusMessage"] = (
                f"Successfully deployed stage with deployment ID '{deployment['DeploymentId']}'"
            )


def bare(document: Mapping[str, Any], *without: str) -> Document:
    """A copy without members that are None and those named."""
    return {name: value for name, value in document.items() if value is not None and name not in without}


def picked(request: Request, names: Iterable[str]) -> Document:
    return {name: request[name] for name in names if request.get(name) is not None}


def merge(document: Document, request: Request, names: Iterable[str]) -> None:
    """Takes the members that an update gives."""
    for name in names:
        value = request.get(name)
        if value is None:
            continue
        if name in _MERGED:
            both = {**(document.get(name) or {}), **value}
            value = {key: item for key, item in both.items() if item not in ("", {})}
        document[name] = value


def refuse(operation: str, request: Request, *names: str) -> None:
    """Raises NotEmulated for members that would have no effect here."""
    for name in names:
        if request.get(name):
            raise NotEmulated(f"apigatewayv2 {operation}.{name}")
