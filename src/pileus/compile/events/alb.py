"""`alb`: rules of an application load balancer that exists elsewhere, and target groups that hold the function.

A target group is named after a digest, as names of target groups are short: renaming one means replacing it.
"""

import hashlib
import re

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.errors import did_you_mean
from pileus.service.model import Event, Function
from pileus.service.tree import Json

_LISTENER = re.compile(r"arn:aws[\w-]*:elasticloadbalancing:.+:listener/app/[\w-]+/([\w-]+)/[\w-]+\Z")
_LONGEST_NAME = 32
_COGNITO = {
    "UserPoolArn": "userPoolArn",
    "UserPoolClientId": "userPoolClientId",
    "UserPoolDomain": "userPoolDomain",
}
_OIDC = {
    "AuthorizationEndpoint": "authorizationEndpoint",
    "ClientId": "clientId",
    "Issuer": "issuer",
    "TokenEndpoint": "tokenEndpoint",
    "UserInfoEndpoint": "userInfoEndpoint",
}
_SESSION = {
    "AuthenticationRequestExtraParams": "requestExtraParams",
    "Scope": "scope",
    "SessionCookieName": "sessionCookieName",
    "SessionTimeout": "sessionTimeout",
}
#: Property of the target group ← setting under `healthCheck`, and its default.
_HEALTH = {
    "HealthCheckPath": ("path", "/"),
    "HealthCheckIntervalSeconds": ("intervalSeconds", 35),
    "HealthCheckTimeoutSeconds": ("timeoutSeconds", 30),
    "HealthyThresholdCount": ("healthyThresholdCount", 5),
    "UnhealthyThresholdCount": ("unhealthyThresholdCount", 5),
}
#: Setting under `conditions` → field of the rule's condition, and the property that holds its values.
_CONDITIONS = {
    "host": ("host-header", "HostHeaderConfig"),
    "method": ("http-request-method", "HttpRequestMethodConfig"),
}


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    _check_priorities(c, uses)
    found: list[tuple[Function, Event, str]] = []
    for function, event in uses:
        balancer = _balancer(c, event)
        if balancer is not None:
            found.append((function, event, balancer))
    for function, event, balancer in found:
        _target_group(c, function, event, balancer)
    for function, event, balancer in found:
        _rule(c, function, event, balancer)
    for function, event, balancer in found:
        group = fn.ref(_group_id(function, event, balancer))
        principal = "elasticloadbalancing.amazonaws.com"
        c.permit(naming.permission(function.key, "Alb"), function, principal, source_arn=group)
        c.permit(naming.permission(function.key, "RegisterTarget"), function, principal)


def _balancer(c: Compilation, event: Event) -> str | None:
    """What names the load balancer in logical ids: its own id, or the parameter that refers to its listener."""
    listener = event.get("listenerArn")
    if isinstance(listener, dict) and isinstance(listener.get("Ref"), str):
        return str(listener["Ref"])
    match = _LISTENER.match(listener) if isinstance(listener, str) else None
    if match is None:
        message = "this is neither the ARN of an application load balancer's listener nor a reference to one"
        hint = "arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/app/NAME/ID/ID or !Ref"
        c.mistake(message, (*event.path, "listenerArn"), hint)
        return None
    return match[1]


def _check_priorities(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    """One priority, one rule: on a listener because AWS wants it, in a function because ids carry it."""
    taken: set[tuple[str, str]] = set()
    for function, event in uses:
        priority = str(event.get("priority"))
        places = {(str(event.get("listenerArn")), priority), (f"function {function.key}", priority)}
        if places & taken:
            message = f"the priority {priority} is used already, on the same listener or by the same function"
            c.mistake(message, (*event.path, "priority"), "give every rule its own priority")
        taken |= places


def _group_id(function: Function, event: Event, balancer: str) -> str:
    many = "MultiValue" if event.get("multiValueHeaders") else ""
    return f"{naming.normalise(function.key)}Alb{many}TargetGroup{balancer}"


def _target_group(c: Compilation, function: Function, event: Event, balancer: str) -> None:
    many = bool(event.get("multiValueHeaders"))
    depends_on = [naming.permission(function.key, "RegisterTarget")]
    if alias := c.aliases.get(function.key):
        depends_on.append(alias.logical_id)
    tag = f"{c.service.name}-{function.key}-{balancer}-{c.service.stage}"
    properties: dict[str, Json] = {
        "TargetType": "lambda",
        "Targets": [{"Id": c.arn(function)}],
        "Name": _group_name(c, function, event, balancer),
        "Tags": [{"Key": "Name", "Value": tag}],
        "TargetGroupAttributes": [{"Key": "lambda.multi_value_headers.enabled", "Value": many}],
        **_health_check(event.get("healthCheck")),
    }
    kind = "AWS::ElasticLoadBalancingV2::TargetGroup"
    resource: dict[str, Json] = {"Type": kind, "Properties": properties, "DependsOn": depends_on}
    c.add(_group_id(function, event, balancer), resource)


def _group_name(c: Compilation, function: Function, event: Event, balancer: str) -> Json:
    prefix = c.service.setting("alb", "targetGroupPrefix") or ""
    given = event.get("targetGroupName")
    if given and prefix:
        message = "a target group has either its own name or 'provider.alb.targetGroupPrefix'"
        c.mistake(message, (*event.path, "targetGroupName"), "remove one of them")
    if given:
        return given
    many = "multi-value-" if event.get("multiValueHeaders") else ""
    whole = f"{c.service.name}-{function.key}-{balancer}-{many}{c.service.stage}"
    digest = hashlib.md5(whole.encode(), usedforsecurity=False).hexdigest()
    return f"{prefix}{digest}"[:_LONGEST_NAME]


def _health_check(given: Json) -> dict[str, Json]:
    if not given and given != {}:
        return {"HealthCheckEnabled": False}
    settings = given if isinstance(given, dict) else {}
    check: dict[str, Json] = {"HealthCheckEnabled": True}
    for name, (key, default) in _HEALTH.items():
        check[name] = settings[key] if settings.get(key) is not None else default
    check["Matcher"] = {"HttpCode": (settings.get("matcher") or {}).get("httpCode") or "200"}
    return check


def _rule(c: Compilation, function: Function, event: Event, balancer: str) -> None:
    forward: dict[str, Json] = {
        "Type": "forward",
        "TargetGroupArn": fn.ref(_group_id(function, event, balancer)),
    }
    actions = _authentications(c, event)
    if actions:
        forward["Order"] = len(actions) + 1
    properties = {
        "Actions": [*actions, forward],
        "Conditions": _conditions(c, event),
        "ListenerArn": event.get("listenerArn"),
        "Priority": event.get("priority"),
    }
    logical_id = f"{naming.normalise(function.key)}AlbListenerRule{event.get('priority')}"
    c.add(logical_id, {"Type": "AWS::ElasticLoadBalancingV2::ListenerRule", "Properties": properties})


def _conditions(c: Compilation, event: Event) -> list[Json]:
    given = event.get("conditions") or {}
    found: list[Json] = []
    if given.get("path"):
        found.append({"Field": "path-pattern", "Values": given["path"]})
    for key, (field, name) in _CONDITIONS.items():
        if given.get(key):
            found.append({"Field": field, name: {"Values": given[key]}})
    headers = given.get("header") or []
    for header in headers if isinstance(headers, list) else [headers]:
        config = {"HttpHeaderName": header["name"], "Values": header["values"]}
        found.append({"Field": "http-header", "HttpHeaderConfig": config})
    if given.get("query"):
        pairs = [{"Key": key, "Value": value} for key, value in given["query"].items()]
        found.append({"Field": "query-string", "QueryStringConfig": {"Values": pairs}})
    if given.get("ip"):
        found.append({"Field": "source-ip", "SourceIpConfig": {"Values": given["ip"]}})
    if not found:
        message = "a rule needs at least one condition"
        c.mistake(message, (*event.path, "conditions"), "conditions: {path: /hello}")
    return found


def _authentications(c: Compilation, event: Event) -> list[dict[str, Json]]:
    names = event.get("authorizer") or []
    defined = c.service.setting("alb", "authorizers") or {}
    actions: list[dict[str, Json]] = []
    for order, name in enumerate(names if isinstance(names, list) else [names], start=1):
        if name not in defined:
            message = f"there is no authorizer '{name}' in provider.alb.authorizers"
            c.mistake(message, (*event.path, "authorizer"), did_you_mean(str(name), defined))
            continue
        actions.append(_authentication(defined[name], order))
    return actions


def _authentication(authorizer: dict[str, Json], order: int) -> dict[str, Json]:
    cognito = authorizer.get("type") == "cognito"
    config: dict[str, Json] = {
        name: authorizer.get(key) for name, key in (_COGNITO if cognito else _OIDC).items()
    }
    config["OnUnauthenticatedRequest"] = authorizer.get("onUnauthenticatedRequest") or "deny"
    config |= {name: authorizer[key] for name, key in _SESSION.items() if authorizer.get(key)}
    if cognito:
        return {"Type": "authenticate-cognito", "Order": order, "AuthenticateCognitoConfig": config}
    if authorizer.get("clientSecret"):
        config["ClientSecret"] = authorizer["clientSecret"]
    else:
        config["UseExistingClientSecret"] = True
    return {"Type": "authenticate-oidc", "Order": order, "AuthenticateOidcConfig": config}
