"""Load balancers' listeners that rules of a stack name by ARN: they exist in an account, and here stand-ins do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud
    from ..cloud.services.elbv2.api import ElasticLoadBalancing

_RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"


def stand_in_listeners(cloud: Cloud, region: str, template: Mapping[str, Any]) -> list[str]:
    """Makes a listener for every ARN that a rule names and that is not there. Returns those ARNs."""
    found: dict[str, None] = {}
    for resource in template["Resources"].values():
        listener = (resource.get("Properties") or {}).get("ListenerArn")
        if resource.get("Type") == _RULE and isinstance(listener, str):
            found.setdefault(listener)
    if found:
        balancing = cast("ElasticLoadBalancing", cloud.service("elbv2"))
        call = cloud.make_call("elbv2", "CreateListener", region=region)
        with cloud.store.transaction():
            for arn in found:
                balancing.stand_in(call, arn)
    return list(found)


def listeners_of(template: Mapping[str, Any], resources: Mapping[str, tuple[str, str]]) -> list[str]:
    """The listeners that rules of a deployed stack are on. resources: (type, physical id) by logical id."""
    found: dict[str, None] = {}
    for resource in template["Resources"].values():
        listener = (resource.get("Properties") or {}).get("ListenerArn")
        if resource.get("Type") != _RULE:
            continue
        if isinstance(listener, str):
            found.setdefault(listener)
        elif isinstance(listener, dict) and listener.get("Ref") in resources:
            found.setdefault(resources[listener["Ref"]][1])
    return list(found)
