"""What Elastic Load Balancing refuses, in its own words.

AwsError
  DuplicateListener, DuplicateLoadBalancerName, DuplicateTargetGroupName
  InvalidConfigurationRequest, InvalidTarget, TooManyTargets
  ListenerNotFound, LoadBalancerNotFound, RuleNotFound, TargetGroupNotFound
  OperationNotPermitted, PriorityInUse, ResourceInUse
"""

from __future__ import annotations

from pileus.cloud.kernel import AwsError


class DuplicateListener(AwsError):
    code = "DuplicateListener"


class DuplicateLoadBalancerName(AwsError):
    code = "DuplicateLoadBalancerName"


class DuplicateTargetGroupName(AwsError):
    code = "DuplicateTargetGroupName"


class InvalidConfigurationRequest(AwsError):
    code = "InvalidConfigurationRequest"


class InvalidTarget(AwsError):
    code = "InvalidTarget"


class TooManyTargets(AwsError):
    code = "TooManyTargets"


class ListenerNotFound(AwsError):
    code = "ListenerNotFound"


class LoadBalancerNotFound(AwsError):
    code = "LoadBalancerNotFound"


class RuleNotFound(AwsError):
    code = "RuleNotFound"


class TargetGroupNotFound(AwsError):
    code = "TargetGroupNotFound"


class OperationNotPermitted(AwsError):
    code = "OperationNotPermitted"


class PriorityInUse(AwsError):
    code = "PriorityInUse"


class ResourceInUse(AwsError):
    code = "ResourceInUse"
