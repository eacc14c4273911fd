"""GatewayResponse: how the API words its own errors."""

from __future__ import annotations

import re

from pileus.cloud.kernel import Call, operation

from .base import Operations, Request, Result, listed
from .dataplane.responses import DEFAULT_TEMPLATE, TYPES
from .documents import Document, Documents, Kind, bare
from .errors import BadRequestException, NotFoundException
from .patch import EDIT, Patch, apply, maps

_PATCHES = (
    Patch("/statusCode", "statusCode", operations=EDIT),
    *maps("responseParameters", "responseTemplates"),
)
_PARAMETER = re.compile(r"gatewayresponse\.header\.\S+")
_MISSING = "Gateway response type not defined on api"


class GatewayResponses(Operations):
    @operation("PutGatewayResponse")
    def put_gateway_response(self, call: Call, request: Request) -> Result:
        api_id, kind = request["restApiId"], request["responseType"]
        self.api(call, api_id)
        _check_type(kind)
        response = {
            **_default(kind),
            **bare(
                {
                    "statusCode": request.get("statusCode"),
                    "responseParameters": dict(request.get("responseParameters") or {}),
                    "responseTemplates": dict(request["responseTemplates"])
                    if request.get("responseTemplates")
                    else None,
                }
            ),
            "defaultResponse": False,
        }
        self._keep_response(call, api_id, response)
        return response

    def _keep_response(self, call: Call, api_id: str, response: Document) -> None:
        if response.get("statusCode") is not None:
            response["statusCode"] = str(response["statusCode"])
            if re.fullmatch(r"[1-5]\d\d", response["statusCode"]) is None:
                raise BadRequestException("Invalid status code specified")
        for name in response["responseParameters"]:
            if _PARAMETER.fullmatch(name) is None:
                raise BadRequestException(
                    "Invalid mapping expression specified: Validation Result: warnings : [], errors :"
                    f" [Invalid mapping expression parameter specified: {name}]"
                )
        Documents.of(call).put(Kind.GATEWAY_RESPONSE, response["responseType"], response, api_id)

    @operation("GetGatewayResponse")
    def get_gateway_response(self, call: Call, request: Request) -> Result:
        self.api(call, request["restApiId"])
        kind = request["responseType"]
        _check_type(kind)
        found = Documents.of(call).find(Kind.GATEWAY_RESPONSE, kind, request["restApiId"])
        return found or _default(kind)

    @operation("GetGatewayResponses")
    def get_gateway_responses(self, call: Call, request: Request) -> Result:
        self.api(call, request["restApiId"])
        own = {
            response["responseType"]: response
            for response in Documents.of(call).all(Kind.GATEWAY_RESPONSE, request["restApiId"])
        }
        return listed([own.get(kind) or _default(kind) for kind in sorted(TYPES)], None)

    @operation("UpdateGatewayResponse")
    def update_gateway_response(self, call: Call, request: Request) -> Result:
        response = {**self.get_gateway_response(call, request), "defaultResponse": False}
        apply(response, request.get("patchOperations"), _PATCHES, "UpdateGatewayResponse")
        self._keep_response(call, request["restApiId"], response)
        return response

    @operation("DeleteGatewayResponse")
    def delete_gateway_response(self, call: Call, request: Request) -> None:
        self.api(call, request["restApiId"])
        documents = Documents.of(call)
        if documents.find(Kind.GATEWAY_RESPONSE, request["responseType"], request["restApiId"]) is None:
            raise NotFoundException(_MISSING)
        documents.delete(Kind.GATEWAY_RESPONSE, request["responseType"], request["restApiId"])


def _check_type(kind: str) -> None:
    if kind not in TYPES:
        raise BadRequestException(
            f"1 validation error detected: Value '{kind}' at 'responseType' failed to satisfy constraint: Member"
            f" must satisfy enum value set: [{', '.join(TYPES)}]"
        )


def _default(kind: str) -> Document:
    status = TYPES[kind].status
    return {
        "responseType": kind,
        **({"statusCode": str(status)} if status else {}),
        "responseParameters": {},
        "responseTemplates": {"application/json": DEFAULT_TEMPLATE},
        "defaultResponse": True,
    }
