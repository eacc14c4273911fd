"""Which service a request is for: by what it is signed for, then by its target header, host and path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ..kernel.cloud import ServiceEntry
from ..kernel.http import HttpRequest
from ..protocol import sigv4

#: Invoke, InvokeAsync and InvokeWithResponseStream.
_INVOCATION = re.compile(
    r"/\d{4}-\d\d-\d\d/functions/[^/]+/(invocations|invoke-async/?|response-streaming-invocations)"
)


class ServiceIndex:
    """The registry, turned round once: signing name → services, target prefix → service."""

    def __init__(self, registry: Mapping[str, ServiceEntry]) -> None:
        self._by_signing_name: dict[str, list[str]] = {}
        self._by_target: dict[str, str] = {}
        for entry in registry.values():
            for name in entry.signing_names:
                self._by_signing_name.setdefault(name, []).append(entry.name)
            for prefix in entry.target_prefixes:
                self._by_target[prefix] = entry.name

    def find(self, request: HttpRequest, signature: sigv4.Signature | None) -> str:
        """botocore's name of the service, or what the request calls it where there is none such."""
        if signature is not None:
            candidates = self._by_signing_name.get(signature.service)
            if candidates is None:
                return signature.service
            return candidates[0] if len(candidates) == 1 else self._one_of(candidates, request)
        if is_connections(request.path):
            return "apigatewaymanagementapi"
        target = request.headers.get("x-amz-target")
        if target is not None:
            return self._by_target.get(target.partition(".")[0], target.partition(".")[0])
        label = request.host.partition(".")[0]
        if label in self._by_signing_name:
            return self._by_signing_name[label][0]
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return "sts"  # the only query API with calls that need no signature
        return "s3"  # anonymous, or a browser's preflight

    def _one_of(self, candidates: list[str], request: HttpRequest) -> str:
        """Of services that share a signing name: what the target says (DynamoDB and its streams), or the path."""
        target = request.headers.get("x-amz-target")
        named = None if target is None else self._by_target.get(target.partition(".")[0])
        return named if named in candidates else _by_path(candidates, request.path)

    def knows(self, label: str) -> bool:
        return label in self._by_signing_name


def _by_path(candidates: list[str], path: str) -> str:
    """SES and API Gateway sign their first and second versions with one name; the second's paths begin with /v2/."""
    versioned = path.startswith("/v2/")
    for name in candidates:
        if name.endswith("v2") == versioned:
            return name
    return candidates[0]


def signature_of(request: HttpRequest) -> tuple[sigv4.Signature | None, bool]:
    """What the request claims about its signature, and whether it is a presigned URL.

    Raises IncompleteSignature; None stands for an unsigned (anonymous) request.
    """
    authorization = request.headers.get("authorization")
    if authorization is not None and authorization.startswith(sigv4.ALGORITHM):
        return sigv4.from_header(authorization, request.headers), False
    if "X-Amz-Algorithm=" in request.query:
        return sigv4.from_query(request), True
    return None, False


def is_invocation(path: str) -> bool:
    """Whether a POST to that path invokes a function."""
    return _INVOCATION.fullmatch(path) is not None


def bucket_of_host(host: str) -> str | None:
    """The bucket of a virtual-hosted S3 address: `BUCKET.s3.localhost:4566`, `BUCKET.s3.us-east-1.localhost`."""
    name = host.rpartition(":")[0] if ":" in host else host
    head, found, _ = name.partition(".s3.")
    if found and head:
        return head
    head, found, _ = name.partition(".s3-")
    return head if found and head else None


def is_connections(path: str) -> bool:
    """Whether a path is of the API that sends to WebSocket clients, which stands below every stage."""
    return "/@connections/" in path or "/%40connections/" in path


def after_stage(request: HttpRequest) -> HttpRequest:
    """A request of that API without what its path has before: a stage, or an API's id and a stage."""
    at = max(request.path.find("/@connections/"), request.path.find("/%40connections/"))
    if at < 0:
        return request
    return replace(request, path="/@connections/" + request.path[at + 1 :].partition("/")[2])


def api_of_host(host: str) -> str | None:
    """The API id of `ID.execute-api.localhost:4566` and `ID.execute-api.REGION.localhost`."""
    head, found, _ = host.partition(".execute-api.")
    return head if found and head else None
