"""Settings of the deployment itself, which have nothing to act on here: said at the start instead of passed over."""

from __future__ import annotations

from ..service import Service

_SETTINGS = (
    "notificationArns",
    "stackPolicy",
    "rollbackConfiguration",
    "disableRollback",
    "deploymentMethod",
)


def aws_only(service: Service) -> list[str]:
    """The settings of `provider` that take effect when the service is deployed to AWS, and not here."""
    return [f"provider.{name}" for name in _SETTINGS if service.setting(name) is not None]
