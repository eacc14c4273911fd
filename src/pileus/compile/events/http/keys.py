"""API keys and usage plans: one plan for all keys, or named plans each with keys of its own."""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.http.rest_api import Api
from pileus.service.tree import Json

_KEY_FIELDS = ("name", "value", "description", "customerId", "enabled")


def compile_keys(c: Compilation, api: Api, stage: str) -> None:
    keys = c.service.setting("apiGateway", "apiKeys") or []
    plans = c.service.setting("apiGateway", "usagePlan")
    if not keys and not plans:
        return
    named = _named(keys)
    for plan, of_plan in named:
        for number, key in enumerate(of_plan, start=1):
            _key(c, api, stage, naming.rest_api_key(number, plan), key)
    settings = plans if isinstance(plans, list) else [{"": plans or {}}]
    for item in settings:
        for plan, limits in item.items():
            _plan(c, api, stage, plan, limits or {})
    for plan, of_plan in named:
        for number in range(1, len(of_plan) + 1):
            properties = {
                "KeyId": fn.ref(naming.rest_api_key(number, plan)),
                "KeyType": "API_KEY",
                "UsagePlanId": fn.ref(naming.rest_usage_plan(plan)),
            }
            resource = {"Type": "AWS::ApiGateway::UsagePlanKey", "Properties": properties}
            c.add(naming.rest_usage_plan_key(number, plan), resource)


def _named(keys: list[Json]) -> list[tuple[str, list[Json]]]:
    """Keys by the plan they are listed under; the plan without a name is the common one."""
    common: list[Json] = []
    named: list[tuple[str, list[Json]]] = []
    for key in keys:
        if isinstance(key, dict) and not any(field in key for field in _KEY_FIELDS):
            named.extend((plan, list(of_plan)) for plan, of_plan in key.items())
        else:
            common.append(key)
    return [("", common), *named] if common else named


def _key(c: Compilation, api: Api, stage: str, logical_id: str, key: Json) -> None:
    settings = key if isinstance(key, dict) else {"name": key}
    properties: dict[str, Json] = {"Enabled": settings.get("enabled", True)}
    for target, source in (
        ("Name", "name"),
        ("Value", "value"),
        ("Description", "description"),
        ("CustomerId", "customerId"),
    ):
        if settings.get(source):
            properties[target] = settings[source]
    properties["StageKeys"] = [{"RestApiId": api.id, "StageName": stage}]
    deployment = naming.rest_deployment(c.service.instance)
    c.add(logical_id, {"Type": "AWS::ApiGateway::ApiKey", "Properties": properties, "DependsOn": deployment})


def _plan(c: Compilation, api: Api, stage: str, plan: str, limits: dict[str, Json]) -> None:
    service, service_stage = c.service.name, c.service.stage
    quoted = f' "{plan}"' if plan else ""
    properties: dict[str, Json] = {
        "ApiStages": [{"ApiId": api.id, "Stage": stage}],
        "Description": f"Usage plan{quoted} for {service} {service_stage} stage",
        "UsagePlanName": "-".join(part for part in (service, plan, service_stage) if part),
    }
    quota, throttle = limits.get("quota"), limits.get("throttle")
    if quota:
        names = {"Limit": "limit", "Offset": "offset", "Period": "period"}
        properties["Quota"] = {name: quota[key] for name, key in names.items() if quota.get(key) is not None}
    if throttle:
        names = {"BurstLimit": "burstLimit", "RateLimit": "rateLimit"}
        properties["Throttle"] = {
            name: throttle[key] for name, key in names.items() if throttle.get(key) is not None
        }
    resource = {
        "Type": "AWS::ApiGateway::UsagePlan",
        "DependsOn": naming.rest_deployment(c.service.instance),
        "Properties": properties,
    }
    c.add(naming.rest_usage_plan(plan), resource)
