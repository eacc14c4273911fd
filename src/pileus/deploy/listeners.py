"""The listeners of load balancers that a service's `alb` events are behind.

Rules of a stack may name one by its ARN: it exists in an account, and here a stand-in does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud
    from ..cloud.services.elbv2.api import ElasticLoadBalancing

_LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
_RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"


def stand_in_listeners(cloud: Cloud, region: str, template: Mapping[str, Any]) -> list[str]:
    """Makes a listener for every ARN that a rule names and that is not there. Returns those ARNs."""
    found = _named(template)
    if found:
        balancing = cast("ElasticLoadBalancing", cloud.service("elbv2"))
        call = cloud.make_call("elbv2", "CreateListener", region=region)
        with cloud.store.transaction():
            for arn in found:
                balancing.stand_in(call, arn)
    return found


def listeners_of(template: Mapping[str, Any], resources: Mapping[str, tuple[str, str]]) -> list[str]:
    """A deployed stack's own, then those that its rules name. resources: (type, physical id) by logical id."""
    own = [physical for kind, physical in resources.values() if kind == _LISTENER]
    return list(dict.fromkeys([*own, *_named(template)]))


def _named(template: Mapping[str, Any]) -> list[str]:
    """ARNs, each once."""
    found: dict[str, None] = {}
    for resource in template["Resources"].values():
        listener = (resource.get("Properties") or {}).get("ListenerArn")
        if resource.get("Type") == _RULE and isinstance(listener, str):
            found.setdefault(listener)
    return list(found)
