"""API keys at the door: which plan lets a key in, and whether it has not used up what the plan gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..documents import Documents, Kind
from .exchange import Exchange
from .quota import Buckets, Quotas
from .responses import GatewayFailure

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

    from .compiled import Method

_MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class _Plan:
    id: str
    throttle: Mapping[str, Any] | None
    quota: Mapping[str, Any] | None
    methods: Mapping[str, Mapping[str, Any]]  # throttle by `/path/METHOD`


@dataclass(frozen=True, slots=True)
class _Key:
    """plans: by (API id, stage)."""

    id: str
    plans: Mapping[tuple[str, str], _Plan]


class Keys:
    def __init__(self, cloud: Cloud) -> None:
        self._store = cloud.store
        self._known: dict[tuple[str, str, str], _Key | None] = {}
        self._buckets = Buckets()
        self._quotas = Quotas(cloud.store)

    def forget(self) -> None:
        self._known.clear()
        self._quotas.clear()

    def admit(self, exchange: Exchange, method: Method) -> None:
        """Raises GatewayFailure where the method needs a key and the request's does not do."""
        if exchange.stage.api.key_source == "AUTHORIZER":
            value = exchange.usage_key
        else:
            value = exchange.request.headers.get("x-api-key")
        if not value:
            raise GatewayFailure("INVALID_API_KEY", "Forbidden")
        key = self._find(exchange.stage.place, value)
        plan = key.plans.get((exchange.stage.api_id, exchange.stage.name)) if key is not None else None
        if key is None or plan is None:
            raise GatewayFailure("INVALID_API_KEY", "Forbidden")
        exchange.api_key, exchange.api_key_id = value, key.id
        self._throttle(exchange, method, plan, key)
        if plan.quota is None:
            self._quotas.count(exchange.stage.place, plan.id, key.id, exchange.now)
        elif not self._quotas.take(exchange.stage.place, plan.id, key.id, plan.quota, exchange.now):
            raise GatewayFailure("QUOTA_EXCEEDED", "Limit Exceeded")

    def _throttle(self, exchange: Exchange, method: Method, plan: _Plan, key: _Key) -> None:
        name = f"{method.resource_path}/{exchange.request.method}"
        own = plan.methods.get(name) or plan.methods.get(f"{method.resource_path}/{method.verb}")
        limits = own or plan.throttle
        if limits is None:
            return
        bucket = (plan.id, key.id, name if own else "")
        if not self._buckets.take(bucket, limits["rateLimit"], limits["burstLimit"], exchange.now):
            raise GatewayFailure("THROTTLED", "Too Many Requests")

    def _find(self, place: tuple[str, str], value: str) -> _Key | None:
        name = (*place, value)
        if name not in self._known:
            if len(self._known) >= _MOST_KEYS:
                self._known.clear()
            self._known[name] = self._load(place, value)
        return self._known[name]

    def _load(self, place: tuple[str, str], value: str) -> _Key | None:
        documents = Documents(self._store, *place)
        found = documents.by_handle(Kind.API_KEY, value)
        if not found or not found[0]["enabled"]:
            return None
        key_id = found[0]["id"]
        plans: dict[tuple[str, str], _Plan] = {}
        for link in documents.by_handle(Kind.USAGE_PLAN_KEY, key_id):
            plan = documents.find(Kind.USAGE_PLAN, link["planId"])
            if plan is None:
                continue
            for stage in plan["apiStages"]:
                plans[stage["apiId"], stage["stage"]] = _Plan(
                    plan["id"], plan.get("throttle"), plan.get("quota"), stage.get("throttle") or {}
                )
        return _Key(key_id, plans)
