"""Account and tags: what belongs to no API alone."""

from __future__ import annotations

from urllib.parse import unquote

from pileus.cloud.kernel import Call, operation

from .base import Operations, Request, Result
from .documents import Document, Documents, Kind
from .errors import BadRequestException, NotFoundException
from .patch import EDIT, Patch, apply

_PATCHES = (
    Patch("/cloudwatchRoleArn", "cloudwatchRoleArn", operations=EDIT),
    Patch("/features", "features", operations=frozenset({"add", "remove"}), kind="set"),
)
_ACCOUNT = {
    "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
    "features": ["UsagePlans"],
    "apiKeyVersion": "4",
}
_MOST_TAGS = 50


class Account(Operations):
    @operation("GetAccount")
    def get_account(self, call: Call, request: Request) -> Result:
        return Documents.of(call).find(Kind.ACCOUNT, "account") or dict(_ACCOUNT)

    @operation("UpdateAccount")
    def update_account(self, call: Call, request: Request) -> Result:
        account = self.get_account(call, request)
        apply(account, request.get("patchOperations"), _PATCHES, "UpdateAccount")
        role = account.get("cloudwatchRoleArn")
        if role and not role.startswith("arn:"):
            raise BadRequestException("Invalid ARN specified in the request")
        if not role:
            account.pop("cloudwatchRoleArn", None)
        Documents.of(call).put(Kind.ACCOUNT, "account", account)
        return account

    @operation("TagResource")
    def tag_resource(self, call: Call, request: Request) -> None:
        kind, item_id, parent, document = self._tagged(call, request["resourceArn"])
        tags = {**(document.get("tags") or {}), **request["tags"]}
        if len(tags) > _MOST_TAGS:
            raise BadRequestException("The maximum number of tags per resource is 50")
        self._put_tags(call, kind, item_id, parent, {**document, "tags": tags})

    @operation("UntagResource")
    def untag_resource(self, call: Call, request: Request) -> None:
        kind, item_id, parent, document = self._tagged(call, request["resourceArn"])
        for key in request["tagKeys"]:
            (document.get("tags") or {}).pop(key, None)
        self._put_tags(call, kind, item_id, parent, document)

    @operation("GetTags")
    def get_tags(self, call: Call, request: Request) -> Result:
        return {"tags": self._tagged(call, request["resourceArn"])[3].get("tags") or {}}

    def _put_tags(self, call: Call, kind: Kind, item_id: str, parent: str, document: Document) -> None:
        handle = None
        if kind is Kind.STAGE:
            handle = f"{parent}/{document['deploymentId']}"
        elif kind is Kind.API_KEY:
            handle = document["value"]
        Documents.of(call).put(kind, item_id, document, parent, handle)

    def _tagged(self, call: Call, arn: str) -> tuple[Kind, str, str, Document]:
        """What an ARN such as `arn:aws:apigateway:us-east-1::/restapis/abc/stages/dev` names."""
        parts = unquote(arn).split(":", 5)
        if len(parts) != 6 or parts[2] != "apigateway":
            raise BadRequestException("Invalid ARN specified in the request")
        path = parts[5].strip("/").split("/")
        kind, item_id, parent = _named(path)
        document = None if kind is None else Documents.of(call).find(kind, item_id, parent)
        if kind is None or document is None:
            raise NotFoundException(f"Invalid resource identifier specified: {parts[5]}")
        return kind, item_id, parent, document


def _named(path: list[str]) -> tuple[Kind | None, str, str]:
    if len(path) == 2 and path[0] in ("restapis", "apikeys", "usageplans"):
        kinds = {"restapis": Kind.API, "apikeys": Kind.API_KEY, "usageplans": Kind.USAGE_PLAN}
        return kinds[path[0]], path[1], ""
    if len(path) == 4 and path[0] == "restapis" and path[2] == "stages":
        return Kind.STAGE, path[3], path[1]
    return None, "", ""
