"""The CloudFormation types AWS::ElasticLoadBalancingV2::*: LoadBalancer, Listener, TargetGroup, ListenerRule."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from pileus.cloud.kernel import REPLACE, UPDATE, Change, Created, ResourceType, StackCall

from .errors import ListenerNotFound, RuleNotFound

Properties = Mapping[str, Any]
_SERVICE = "elbv2"
_NUMBERS = frozenset(
    {
        *("Port", "Priority", "Order", "Weight", "HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds"),
        *("HealthyThresholdCount", "UnhealthyThresholdCount", "DurationSeconds"),
    }
)
_FLAGS = frozenset({"HealthCheckEnabled", "Enabled"})


def _typed(value: Any, name: str = "") -> Any:
    """Templates may write numbers and switches as text, and the other way round."""
    if isinstance(value, Mapping):
        return {key: _typed(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item, name) for item in value]
    if name in _FLAGS:
        return str(value).lower() == "true"
    if name in _NUMBERS:
        return int(value)
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _given(properties: Properties, *names: str) -> dict[str, Any]:
    return {name: _typed(properties[name], name) for name in names if properties.get(name) is not None}


def _tags(stack: StackCall, properties: Properties) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in stack.all_tags(properties).items()]}


def _retag(stack: StackCall, arn: str, old: Properties, new: Properties) -> None:
    gone = [key for key in stack.all_tags(old) if key not in stack.all_tags(new)]
    if gone:
        stack.invoke(_SERVICE, "RemoveTags", {"ResourceArns": [arn], "TagKeys": gone})
    stack.invoke(_SERVICE, "AddTags", {"ResourceArns": [arn], **_tags(stack, new)})


class LoadBalancer(ResourceType):
    type_name = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    properties: ClassVar[Mapping[str, Change]] = {
        "IpAddressType": REPLACE,
        "LoadBalancerAttributes": UPDATE,
        "Name": REPLACE,
        "Scheme": REPLACE,
        "SecurityGroups": UPDATE,
        "Subnets": UPDATE,
        "Tags": UPDATE,
        "Type": REPLACE,
    }
    attributes = (
        "CanonicalHostedZoneID",
        "DNSName",
        "LoadBalancerArn",
        "LoadBalancerFullName",
        "LoadBalancerName",
    )

    def create(self, stack: StackCall, properties: Properties) -> Created:
        name = properties.get("Name") or stack.generated_name(32)
        request = {
            "Name": name,
            **_given(properties, "IpAddressType", "Scheme", "SecurityGroups", "Subnets", "Type"),
            **_tags(stack, properties),
        }
        made = stack.invoke(_SERVICE, "CreateLoadBalancer", request)["LoadBalancers"][0]
        self._attribute(stack, made["LoadBalancerArn"], properties)
        return self._created(made)

    def _attribute(self, stack: StackCall, arn: str, properties: Properties) -> None:
        if attributes := _given(properties, "LoadBalancerAttributes"):
            request = {"LoadBalancerArn": arn, "Attributes": attributes["LoadBalancerAttributes"]}
            stack.invoke(_SERVICE, "ModifyLoadBalancerAttributes", request)

    def _created(self, made: Mapping[str, Any]) -> Created:
        arn = made["LoadBalancerArn"]
        return Created(
            arn,
            {
                "CanonicalHostedZoneID": made["CanonicalHostedZoneId"],
                "DNSName": made["DNSName"],
                "LoadBalancerArn": arn,
                "LoadBalancerFullName": arn.partition(":loadbalancer/")[2],
                "LoadBalancerName": made["LoadBalancerName"],
            },
        )

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        where = {"LoadBalancerArn": physical_id}
        if new.get("SecurityGroups") and old.get("SecurityGroups") != new["SecurityGroups"]:
            stack.invoke(_SERVICE, "SetSecurityGroups", {**where, **_given(new, "SecurityGroups")})
        if new.get("Subnets") and old.get("Subnets") != new["Subnets"]:
            stack.invoke(_SERVICE, "SetSubnets", {**where, **_given(new, "Subnets")})
        self._attribute(stack, physical_id, new)
        _retag(stack, physical_id, old, new)
        found = stack.invoke(_SERVICE, "DescribeLoadBalancers", {"LoadBalancerArns": [physical_id]})
        return self._created(found["LoadBalancers"][0])

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        stack.invoke(_SERVICE, "DeleteLoadBalancer", {"LoadBalancerArn": physical_id})


class Listener(ResourceType):
    type_name = "AWS::ElasticLoadBalancingV2::Listener"
    properties: ClassVar[Mapping[str, Change]] = {
        "Certificates": UPDATE,
        "DefaultActions": UPDATE,
        "LoadBalancerArn": REPLACE,
        "Port": UPDATE,
        "Protocol": UPDATE,
        "SslPolicy": UPDATE,
    }
    required = ("DefaultActions", "LoadBalancerArn")
    attributes = ("ListenerArn",)
    _NAMES = ("Certificates", "DefaultActions", "Port", "Protocol", "SslPolicy")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        request = _given(properties, "LoadBalancerArn", *self._NAMES)
        arn = stack.invoke(_SERVICE, "CreateListener", request)["Listeners"][0]["ListenerArn"]
        return Created(arn, {"ListenerArn": arn})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        stack.invoke(_SERVICE, "ModifyListener", {"ListenerArn": physical_id, **_given(new, *self._NAMES)})
        return Created(physical_id, {"ListenerArn": physical_id})

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        with suppress(ListenerNotFound):  # gone already, maybe with its load balancer
            stack.invoke(_SERVICE, "DeleteListener", {"ListenerArn": physical_id})


class TargetGroup(ResourceType):
    type_name = "AWS::ElasticLoadBalancingV2::TargetGroup"
    _CHECKS = (
        *("HealthCheckEnabled", "HealthCheckIntervalSeconds", "HealthCheckPath", "HealthCheckTimeoutSeconds"),
        *("HealthyThresholdCount", "Matcher", "UnhealthyThresholdCount"),
    )
    properties: ClassVar[Mapping[str, Change]] = {
        **dict.fromkeys(_CHECKS, UPDATE),
        "Name": REPLACE,
        "Tags": UPDATE,
        "TargetGroupAttributes": UPDATE,
        "TargetType": REPLACE,
        "Targets": UPDATE,
    }
    attributes = ("LoadBalancerArns", "TargetGroupArn", "TargetGroupFullName", "TargetGroupName")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        request = {
            "Name": properties.get("Name") or stack.generated_name(32),
            **_given(properties, "TargetType", *self._CHECKS),
            **_tags(stack, properties),
        }
        made = stack.invoke(_SERVICE, "CreateTargetGroup", request)["TargetGroups"][0]
        self._settle(stack, made["TargetGroupArn"], {}, properties)
        return self._created(made)

    def _settle(self, stack: StackCall, arn: str, old: Properties, new: Properties) -> None:
        """Attributes and targets, which the API takes in calls of their own."""
        where = {"TargetGroupArn": arn}
        if attributes := _given(new, "TargetGroupAttributes"):
            request = {**where, "Attributes": attributes["TargetGroupAttributes"]}
            stack.invoke(_SERVICE, "ModifyTargetGroupAttributes", request)
        before, after = (p.get("Targets") or [] for p in (old, new))
        if gone := [target for target in before if target not in after]:
            stack.invoke(_SERVICE, "DeregisterTargets", {**where, "Targets": _typed(gone)})
        if more := [target for target in after if target not in before]:
            stack.invoke(_SERVICE, "RegisterTargets", {**where, "Targets": _typed(more)})

    def _created(self, made: Mapping[str, Any]) -> Created:
        arn = made["TargetGroupArn"]
        return Created(
            arn,
            {
                "LoadBalancerArns": made.get("LoadBalancerArns") or [],
                "TargetGroupArn": arn,
                "TargetGroupFullName": arn.rpartition(":")[2],
                "TargetGroupName": made["TargetGroupName"],
            },
        )

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        request = {"TargetGroupArn": physical_id, **_given(new, *self._CHECKS)}
        made = stack.invoke(_SERVICE, "ModifyTargetGroup", request)["TargetGroups"][0]
        self._settle(stack, physical_id, old, new)
        _retag(stack, physical_id, old, new)
        return self._created(made)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        stack.invoke(_SERVICE, "DeleteTargetGroup", {"TargetGroupArn": physical_id})


class ListenerRule(ResourceType):
    type_name = "AWS::ElasticLoadBalancingV2::ListenerRule"
    properties: ClassVar[Mapping[str, Change]] = {
        "Actions": UPDATE,
        "Conditions": UPDATE,
        "ListenerArn": REPLACE,
        "Priority": UPDATE,
    }
    required = ("Actions", "Conditions", "ListenerArn", "Priority")
    attributes = ("IsDefault", "RuleArn")

    def create(self, stack: StackCall, properties: Properties) -> Created:
        request = _given(properties, "Actions", "Conditions", "ListenerArn", "Priority")
        return self._created(stack.invoke(_SERVICE, "CreateRule", request)["Rules"][0]["RuleArn"])

    def _created(self, arn: str) -> Created:
        return Created(arn, {"IsDefault": False, "RuleArn": arn})

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        if old.get("Priority") != new.get("Priority"):
            pair = {"RuleArn": physical_id, "Priority": int(new["Priority"])}
            stack.invoke(_SERVICE, "SetRulePriorities", {"RulePriorities": [pair]})
        stack.invoke(_SERVICE, "ModifyRule", {"RuleArn": physical_id, **_given(new, "Actions", "Conditions")})
        return self._created(physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        with suppress(RuleNotFound):  # gone already, maybe with its listener
            stack.invoke(_SERVICE, "DeleteRule", {"RuleArn": physical_id})
