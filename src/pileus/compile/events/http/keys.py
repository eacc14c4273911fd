"""API keys and usage plans: one plan for all keys, or named plans each with keys of its own."""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.http.rest_api import Api
from pileus.service.errors import did_you_mean
from pileus.service.tree import Json

_KEY_FIELDS = ("name", "value", "description", "customerId", "enabled")


def compile_keys(c: Compilation, api: Api) -> None:
    keys = c.service.setting("apiGateway", "apiKeys") or []
    plans = c.service.setting("apiGateway", "usagePlan")
    if not keys and not plans:
        return
    settings = plans if isinstance(plans, list) else [{"": plans or {}}]
    known = {plan for item in settings for plan in item}
    found = _numbered(keys)
    for plan, number, key in found:
        if plan and plan not in known:
            message = f"keys are for the plan '{plan}', which provider.apiGateway.usagePlan does not list"
            path = ("provider", "apiGateway", "apiKeys")
            c.mistake(message, path, did_you_mean(plan, known) or f"usagePlan: [{plan}: ...]")
        _key(c, api, naming.rest_api_key(number, plan), key)
    for item in settings:
        for plan, limits in item.items():
            _plan(c, api, plan, limits or {})
    for plan, number, _ in found:
        properties = {
            "KeyId": fn.ref(naming.rest_api_key(number, plan)),
            "KeyType": "API_KEY",
            "UsagePlanId": fn.ref(naming.rest_usage_plan(plan)),
        }
        resource = {"Type": "AWS::ApiGateway::UsagePlanKey", "Properties": properties}
        c.add(naming.rest_usage_plan_key(number, plan), resource)


def _numbered(keys: list[Json]) -> list[tuple[str, int, Json]]:
    """Keys with their plan (the common one has no name) and their number, which counts in the list they stand in."""
    found: list[tuple[str, int, Json]] = []
    for position, key in enumerate(keys, start=1):
        if isinstance(key, dict) and not any(field in key for field in _KEY_FIELDS):
            for plan, of_plan in key.items():
                found.extend((plan, number, own) for number, own in enumerate(of_plan, start=1))
        else:
            found.append(("", position, key))
    return found


def _key(c: Compilation, api: Api, logical_id: str, key: Json) -> None:
    settings = key if isinstance(key, dict) else {"name": key}
    properties: dict[str, Json] = {"Enabled": settings.get("enabled", True)}
    for target, source in (
        ("Name", "name"),
        ("Value", "value"),
        ("Description", "description"),
        ("CustomerId", "customerId"),
    ):
        if settings.get(source) is not None:
            properties[target] = settings[source]
    # The provider's stage, also where the API has another name for it: as v3 does.
    properties["StageKeys"] = [{"RestApiId": api.id, "StageName": c.service.stage}]
    deployment = naming.rest_deployment(c.service.instance)
    c.add(logical_id, {"Type": "AWS::ApiGateway::ApiKey", "Properties": properties, "DependsOn": deployment})


def _plan(c: Compilation, api: Api, plan: str, limits: dict[str, Json]) -> None:
    service, service_stage = c.service.name, c.service.stage
    quoted = f' "{plan}"' if plan else ""
    properties: dict[str, Json] = {
        "ApiStages": [{"ApiId": api.id, "Stage": service_stage}],
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
