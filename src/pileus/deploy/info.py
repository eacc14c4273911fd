"""What a service has, as `pileus info` tells it: from its file alone, and with what its stack in a cloud says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..compile import naming
from ..service import Event, Function, Service

#: What stands for the parts of an address that only a deployment gives.
UNKNOWN_API, UNKNOWN_URL = "{api-id}", "{url-id}"


@dataclass(frozen=True, slots=True)
class Information:
    """status: of the stack, None when no cloud was asked. endpoints: (method or kind, address). functions, layers: by
    key; a layer's value is the ARN of its version once that is known. api_keys: by name, with their values."""

    service: str
    stage: str
    region: str
    stack: str
    status: str | None = None
    api_keys: Mapping[str, str] = field(default_factory=dict)
    endpoints: tuple[tuple[str, str], ...] = ()
    functions: Mapping[str, str] = field(default_factory=dict)
    layers: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


def stack_name(service: Service) -> str:
    return str(service.setting("stackName") or f"{service.name}-{service.stage}")


def information(service: Service, outputs: Mapping[str, str] | None = None) -> Information:
    """outputs: of the deployed stack; without them addresses have placeholders."""
    known = outputs or {}
    layers = service.config.get("layers") or {}
    return Information(
        service=service.name,
        stage=service.stage,
        region=service.region,
        stack=stack_name(service),
        endpoints=tuple(_endpoints(service, known)),
        functions={key: function.name for key, function in service.functions.items()},
        layers={
            key: known.get(f"{naming.layer(key)}QualifiedArn") or str((settings or {}).get("name") or key)
            for key, settings in layers.items()
        },
        outputs=known,
    )


def deployed(service: Service, session: Any) -> Information:
    """What the stack in a cloud has. session: botocore's, with the credentials to ask with.

    Without such a stack the status is `not deployed`. Raises botocore's errors.
    """
    from botocore.exceptions import ClientError

    stack = stack_name(service)
    client = session.create_client("cloudformation", region_name=service.region)
    try:
        (found,) = client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return replace(information(service), status="not deployed")
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs") or ()}
    keys = _api_keys(session, client, service, stack)
    return replace(information(service, outputs), status=found["StackStatus"], api_keys=keys)


def _api_keys(session: Any, cloudformation: Any, service: Service, stack: str) -> dict[str, str]:
    ids = [
        resource["PhysicalResourceId"]
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::ApiGateway::ApiKey" and "PhysicalResourceId" in resource
    ]
    if not ids:
        return {}
    client = session.create_client("apigateway", region_name=service.region)
    found = [client.get_api_key(apiKey=each, includeValue=True) for each in ids]
    return {each.get("name", each["id"]): each.get("value", "") for each in found}


def _endpoints(service: Service, outputs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    domain = f"{service.region}.amazonaws.com" + (".cn" if service.region.startswith("cn-") else "")
    stage = service.setting("apiGateway", "stage") or service.stage
    rest = (
        outputs.get("ServiceEndpoint")
        or f"https://{_api(service, 'apiGateway', 'restApiId')}.execute-api.{domain}/{stage}"
    )
    http = outputs.get("HttpApiUrl") or f"https://{_api(service, 'httpApi', 'id')}.execute-api.{domain}"
    socket = outputs.get("ServiceEndpointWebsocket") or (
        f"wss://{_api(service, 'apiGateway', 'websocketApiId')}.execute-api.{domain}/{service.stage}"
    )
    if service.events("websocket"):
        yield "wss", socket
    for kind, base in (("http", rest), ("httpApi", http)):
        for _, event in service.events(kind):
            method, path = _route(event)
            yield method, f"{base}/{path}" if path else base
    for function in service.functions.values():
        if function.get("url"):
            yield "url", _function_url(function, outputs, service.region)
    if "CloudFrontDistributionDomainName" in outputs:
        yield "CDN", outputs["CloudFrontDistributionDomainName"]


def _api(service: Service, *setting: str) -> str:
    named = service.setting(*setting)
    return named if isinstance(named, str) else UNKNOWN_API


def _route(event: Event) -> tuple[str, str]:
    if isinstance(event.config, str):
        method, _, path = event.config.strip().partition(" ")
    else:
        method, path = str(event.get("method") or "*"), str(event.get("path") or "")
    method = "ANY" if method in ("*", "") else method.upper()
    return method, path.strip().strip("/")


def _function_url(function: Function, outputs: Mapping[str, str], region: str) -> str:
    found = outputs.get(naming.function_url(function.key))
    return found or f"https://{UNKNOWN_URL}.lambda-url.{region}.on.aws/"
