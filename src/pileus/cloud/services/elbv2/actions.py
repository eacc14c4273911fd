"""Actions of rules and listeners: which can be taken here, and what each needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pileus.cloud.kernel import NotEmulated, ValidationError

from .errors import InvalidConfigurationRequest
from .items import Items, Kind

_FIXED_STATUS = re.compile(r"[245]\d\d")


def check_actions(items: Items, actions: Iterable[Any]) -> None:
    """Raises NotEmulated, ValidationError, TargetGroupNotFound."""
    last = ""
    for action in sorted(actions, key=lambda each: each.get("Order") or 1):
        last = action["Type"]
        if last == "forward":
            groups = groups_of(action)
            if not groups:
                raise ValidationError("A target group ARN must be specified")
            for arn, _ in groups:
                items.get(Kind.GROUP, arn)
        elif last == "fixed-response":
            if not _FIXED_STATUS.fullmatch((action.get("FixedResponseConfig") or {}).get("StatusCode", "")):
                raise InvalidConfigurationRequest(
                    "The status code of a fixed response must be 2XX, 4XX or 5XX"
                )
        elif last != "redirect":
            raise NotEmulated(f"elbv2 actions of the type {last}")
        elif (action.get("RedirectConfig") or {}).get("StatusCode") not in ("HTTP_301", "HTTP_302"):
            raise InvalidConfigurationRequest("The status code of a redirect must be HTTP_301 or HTTP_302")
    if not last:
        raise ValidationError("An action must be specified")


def groups_of(action: dict[str, Any]) -> list[tuple[str, int]]:
    """(target group ARN, weight) of a forward action."""
    config = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    found = [(group["TargetGroupArn"], int(group.get("Weight", 1))) for group in config]
    if not found and action.get("TargetGroupArn"):
        found = [(action["TargetGroupArn"], 1)]
    return found
