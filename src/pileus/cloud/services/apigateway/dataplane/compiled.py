"""What a snapshot becomes before its first request: routes, schemas, policies, templates, each compiled once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ..policy import Policy, parse_policy
from .authorizer import Authorizer
from .cognito import UserPools
from .integrations import Integration, compile_integration
from .responses import Custom, compile_responses
from .routing import Router
from .validation import BodySchema, compile_schema


@dataclass(frozen=True, slots=True)
class Method:
    """verb: of the method as it is defined, maybe ANY. required: (place, name) of required parameters.

    pools, scopes: of methods with an authorizer of user pools.
    schemas: by content type, where the validator asks for the body.
    """

    resource_id: str
    resource_path: str
    verb: str
    operation_name: str | None
    authorizer: Authorizer | None
    pools: UserPools | None
    scopes: tuple[str, ...]
    is_iam: bool
    needs_key: bool
    required: tuple[tuple[str, str], ...]
    schemas: Mapping[str, BodySchema]
    integration: Integration


@dataclass(frozen=True, slots=True)
class CompiledApi:
    api_id: str
    account: str
    region: str
    router: Router[Method]
    responses: Mapping[str, Custom]
    binary_types: frozenset[str]
    key_source: str
    minimum_compression: int | None
    policy: Policy | None
    disabled: bool


def compile_api(snapshot: Mapping[str, Any], account: str, region: str) -> CompiledApi:
    """Raises ValueError, TemplateSyntaxError and NotEmulated for what can't be served."""
    api = snapshot["api"]
    router: Router[Method] = Router()
    parts = _Parts(snapshot)
    for resource in snapshot["resources"]:
        for verb, method in (resource.get("resourceMethods") or {}).items():
            router.add(resource["path"], verb, _method(resource, verb, method, parts))
    policy = api.get("policy")
    return CompiledApi(
        api["id"],
        account,
        region,
        router,
        compile_responses(snapshot["gatewayResponses"]),
        frozenset(kind.lower().replace("~1", "/") for kind in api.get("binaryMediaTypes") or ()),
        api["apiKeySource"],
        api.get("minimumCompressionSize"),
        parse_policy(orjson.loads(policy), api_arn=f"arn:aws:execute-api:{region}:{account}:{api['id']}")
        if policy
        else None,
        api["disableExecuteApiEndpoint"],
    )


class _Parts:
    """What methods refer to, each compiled when first needed."""

    def __init__(self, snapshot: Mapping[str, Any]) -> None:
        self._authorizers = {item["id"]: item for item in snapshot["authorizers"]}
        self._compiled: dict[str, Authorizer] = {}
        self._pools: dict[str, UserPools] = {}
        self.validators = {item["id"]: item for item in snapshot["validators"]}
        self._models = {
            item["name"]: orjson.loads(item["schema"])
            for item in snapshot["models"]
            if item["contentType"].partition(";")[0].strip() == "application/json"
        }
        self._schemas: dict[str, BodySchema] = {}

    def authorizer(self, authorizer_id: str) -> Authorizer:
        if authorizer_id not in self._compiled:
            self._compiled[authorizer_id] = Authorizer.compiled(self._document(authorizer_id))
        return self._compiled[authorizer_id]

    def pools(self, authorizer_id: str) -> UserPools:
        if authorizer_id not in self._pools:
            self._pools[authorizer_id] = UserPools.compiled(self._document(authorizer_id))
        return self._pools[authorizer_id]

    def _document(self, authorizer_id: str) -> Mapping[str, Any]:
        if authorizer_id not in self._authorizers:
            raise ValueError(f"the authorizer {authorizer_id} is gone")
        found: Mapping[str, Any] = self._authorizers[authorizer_id]
        return found

    def schema(self, model: str) -> BodySchema | None:
        if model not in self._models:
            return None
        if model not in self._schemas:
            self._schemas[model] = compile_schema(self._models[model], self._models)
        return self._schemas[model]


def _method(resource: Mapping[str, Any], verb: str, method: Mapping[str, Any], parts: _Parts) -> Method:
    validator = parts.validators.get(method.get("requestValidatorId", ""), {})
    required: list[tuple[str, str]] = []
    if validator.get("validateRequestParameters"):
        for expression, is_required in (method.get("requestParameters") or {}).items():
            _, _, place, name = expression.split(".", 3)
            if is_required and place != "path":
                required.append((place, name))
    schemas: dict[str, BodySchema] = {}
    if validator.get("validateRequestBody"):
        for content_type, model in (method.get("requestModels") or {}).items():
            schema = parts.schema(model)
            if schema is not None:
                schemas[content_type.lower()] = schema
    kind = method["authorizationType"]
    return Method(
        resource["id"],
        resource["path"],
        verb,
        method.get("operationName"),
        parts.authorizer(method["authorizerId"]) if kind == "CUSTOM" else None,
        parts.pools(method["authorizerId"]) if kind == "COGNITO_USER_POOLS" else None,
        tuple(method.get("authorizationScopes") or ()),
        kind == "AWS_IAM",
        bool(method["apiKeyRequired"]),
        tuple(required),
        schemas,
        compile_integration(method["methodIntegration"]),
    )
