"""`cloudFront`: Lambda@Edge functions, and the one distribution of the service that calls them.

Every event names an origin and, for all but the default behaviour, a path pattern; events of one pattern share a
behaviour. Functions at the edge have neither environment nor VPC, less memory and time, and outlive their stack
(CloudFront keeps replicas of them).
"""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.cloud_front_behaviors import Behavior, behaviors, default_behavior
from pileus.compile.versions import version_id
from pileus.service.model import Event, Function
from pileus.service.tree import Json

#: MB and seconds that a function may have, by the beginning of its event types.
_LIMITS = {"viewer": (128, 5), "origin": (10240, 30)}
_DISTRIBUTION = "CloudFrontDistribution"
_LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:TagResource"]


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    if not _check(c, uses):
        return
    functions = list({function.key: function for function, _ in uses}.values())
    versions = {function.key: version_id(c, function) for function in functions}
    for function in functions:
        _bring_to_the_edge(c, function)
        c.resources[versions[function.key]]["DeletionPolicy"] = "Retain"
    # A function writes its logs in whichever region it was called.
    logs = {"Effect": "Allow", "Action": _LOGS, "Resource": [fn.sub("arn:${AWS::Partition}:logs:*:*:*")]}
    c.statements.append(logs)
    _cache_policies(c)
    _distribution(c, behaviors(c, uses, versions))
    for function in functions:
        _permit(c, function, versions[function.key])
    c.add(_DISTRIBUTION, c.resources.pop(_DISTRIBUTION))
    c.output(_DISTRIBUTION, fn.ref(_DISTRIBUTION), "CloudFront Distribution Id")
    domain = fn.get_att(_DISTRIBUTION, "DomainName")
    c.output(f"{_DISTRIBUTION}DomainName", domain, "CloudFront Distribution Domain Name")


def _check(c: Compilation, uses: list[tuple[Function, Event]]) -> bool:
    before = len(c.errors)
    if c.service.region != "us-east-1":
        message = f"functions of CloudFront must be in us-east-1, not in {c.service.region}"
        path = ("provider", "region") if c.service.setting("region") else uses[0][1].path
        c.mistake(message, path, "region: us-east-1")
    if len([event for _, event in uses if event.get("isDefaultOrigin")]) > 1:
        message = "only one event can have the default origin"
        c.mistake(message, (*uses[-1][1].path, "isDefaultOrigin"))
    for function, event in uses:
        kind = str(event.get("eventType"))
        limits = _LIMITS.get(kind.partition("-")[0])
        if limits is None:
            c.mistake("cloudFront needs an 'eventType'", event.path, "eventType: viewer-request")
            continue
        for setting, most in zip(("memorySize", "timeout"), limits, strict=True):
            if (function.get(setting) or 0) > most:
                message = f"'{setting}' of a function for {kind} can be {most} at most"
                c.mistake(message, (*function.path, setting))
    return len(c.errors) == before


def _bring_to_the_edge(c: Compilation, function: Function) -> None:
    resource = c.resources[naming.function(function.key)]
    properties = resource["Properties"]
    properties.pop("Environment", None)
    properties.pop("VpcConfig", None)
    properties["MemorySize"] = function.get("memorySize") or 128
    properties["Timeout"] = function.get("timeout") or 5
    resource["DeletionPolicy"] = "Retain"


def _cache_policies(c: Compilation) -> None:
    for name, settings in (c.service.setting("cloudFront", "cachePolicies") or {}).items():
        config = {"Name": f"{c.service.name}-{c.service.stage}-{name}", **settings}
        config["Name"] = f"{c.service.name}-{c.service.stage}-{name}"
        resource = {"Type": "AWS::CloudFront::CachePolicy", "Properties": {"CachePolicyConfig": config}}
        c.add(naming.cache_policy(name), resource)


def _distribution(c: Compilation, found: list[Behavior]) -> None:
    origins: dict[str, Json] = {}
    for behavior in found:
        for origin in behavior.origins:
            origins.setdefault(origin["Id"], origin)
    config: dict[str, Json] = {
        "Comment": f"{c.service.name} {c.service.stage}",
        "Enabled": True,
        "DefaultCacheBehavior": default_behavior(c, found, len(origins)),
        "Origins": list(origins.values()),
    }
    others = [
        {**behavior.settings, "PathPattern": behavior.pattern} for behavior in found if behavior.pattern
    ]
    if others:
        config["CacheBehaviors"] = others
    properties = {"DistributionConfig": config}
    c.add(_DISTRIBUTION, {"Type": "AWS::CloudFront::Distribution", "Properties": properties})


def _permit(c: Compilation, function: Function, version: str) -> None:
    parts: list[Json] = ["", "arn:", fn.PARTITION, ":cloudfront::", fn.ACCOUNT_ID, ":distribution/"]
    properties = {
        "FunctionName": fn.ref(version),
        "Action": "lambda:InvokeFunction",
        "Principal": "edgelambda.amazonaws.com",
        "SourceArn": fn.join("", [*parts, fn.ref(_DISTRIBUTION)]),
    }
    logical_id = f"{naming.function(function.key)}InvokePermission"
    c.add(logical_id, {"Type": "AWS::Lambda::Permission", "Properties": properties})
