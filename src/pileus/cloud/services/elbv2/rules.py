"""Rule: which requests of a listener go where. Tags of everything, at the end."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from pileus.cloud.kernel import Call, NotEmulated, ValidationError, operation

from .actions import check_actions
from .conditions import FIELDS, values_of
from .errors import OperationNotPermitted, PriorityInUse
from .items import Document, Kind, Operations, Request, Result, shown, tags_of

_HIGHEST = 50_000
_METHOD = re.compile(r"[A-Z_-]{1,40}")
_KINDS = {":loadbalancer/": Kind.BALANCER, ":targetgroup/": Kind.GROUP, ":listener/": Kind.LISTENER}


class Rules(Operations):
    @operation("CreateRule")
    def create_rule(self, call: Call, request: Request) -> Result:
        listener = self.items.get(Kind.LISTENER, request["ListenerArn"])
        if request.get("Transforms"):
            raise NotEmulated("elbv2 CreateRule.Transforms")
        parent = listener["ListenerArn"]
        priority = str(request["Priority"])
        self._check_priority(parent, priority, "")
        _check_conditions(request["Conditions"])
        check_actions(self.items, request["Actions"])
        arn = f"{parent.replace(':listener/', ':listener-rule/')}/{call.ids.hex(16)}"
        document = {
            "RuleArn": arn,
            "Priority": priority,
            "Conditions": list(request["Conditions"]),
            "Actions": list(request["Actions"]),
            "IsDefault": False,
            "_tags": tags_of(request),
        }
        self.items.put((call.account, call.region), Kind.RULE, arn, document, parent)
        self.plane.forget()
        return {"Rules": [shown(document)]}

    def _check_priority(self, listener: str, priority: str, own: str) -> None:
        if not priority.isdigit() or not 1 <= int(priority) <= _HIGHEST:
            raise ValidationError(f"Priority must be between 1 and {_HIGHEST}")
        for rule in self.items.under(listener):
            if rule["Priority"] == priority and rule["RuleArn"] != own:
                raise PriorityInUse(f"Priority '{priority}' is currently in use")

    @operation("DescribeRules")
    def describe_rules(self, call: Call, request: Request) -> Result:
        if arns := request.get("RuleArns"):
            return {"Rules": [shown(self.items.get(Kind.RULE, arn)) for arn in arns]}
        if not request.get("ListenerArn"):
            raise ValidationError("You must specify either listener rule ARNs or a listener ARN")
        listener = self.items.get(Kind.LISTENER, request["ListenerArn"])
        rules = sorted(self.items.under(listener["ListenerArn"]), key=lambda rule: int(rule["Priority"]))
        default = {
            "RuleArn": _default_rule(listener["ListenerArn"]),
            "Priority": "default",
            "Conditions": [],
            "Actions": listener["DefaultActions"],
            "IsDefault": True,
        }
        return {"Rules": [*(shown(rule) for rule in rules), default]}

    @operation("ModifyRule")
    def modify_rule(self, call: Call, request: Request) -> Result:
        rule = self._rule(request["RuleArn"])
        if request.get("Transforms") or request.get("ResetTransforms"):
            raise NotEmulated("elbv2 ModifyRule.Transforms")
        if request.get("Conditions") is not None:
            _check_conditions(request["Conditions"])
            rule["Conditions"] = list(request["Conditions"])
        if request.get("Actions") is not None:
            check_actions(self.items, request["Actions"])
            rule["Actions"] = list(request["Actions"])
        self.items.change(rule["RuleArn"], rule)
        self.plane.forget()
        return {"Rules": [shown(rule)]}

    def _rule(self, arn: str) -> Document:
        found = self.items.find(Kind.RULE, arn)
        if found is None and arn.endswith("/default"):
            raise OperationNotPermitted(f"Default rule '{arn}' cannot be modified")
        return found or self.items.get(Kind.RULE, arn)

    @operation("SetRulePriorities")
    def set_rule_priorities(self, call: Call, request: Request) -> Result:
        changed = []
        for pair in request["RulePriorities"]:
            if "RuleArn" not in pair or "Priority" not in pair:  # the model asks for neither
                raise ValidationError("A rule ARN and a priority must be specified")
            rule = self._rule(pair["RuleArn"])
            rule["Priority"] = str(pair["Priority"])
            self.items.change(rule["RuleArn"], rule)
            changed.append(rule)
        for rule in changed:
            listener = rule["RuleArn"].replace(":listener-rule/", ":listener/").rpartition("/")[0]
            self._check_priority(listener, rule["Priority"], rule["RuleArn"])
        self.plane.forget()
        return {"Rules": [shown(rule) for rule in changed]}

    @operation("DeleteRule")
    def delete_rule(self, call: Call, request: Request) -> Result:
        self.items.delete(self._rule(request["RuleArn"])["RuleArn"])
        self.plane.forget()
        return {}

    # -- tags -------------------------------------------------------------------------------------------------------

    @operation("AddTags")
    def add_tags(self, call: Call, request: Request) -> Result:
        for arn in request["ResourceArns"]:
            document = self._any(arn)
            document["_tags"] |= tags_of(request)
            self.items.change(arn, document)
        return {}

    @operation("RemoveTags")
    def remove_tags(self, call: Call, request: Request) -> Result:
        for arn in request["ResourceArns"]:
            document = self._any(arn)
            for key in request["TagKeys"]:
                document["_tags"].pop(key, None)
            self.items.change(arn, document)
        return {}

    @operation("DescribeTags")
    def describe_tags(self, call: Call, request: Request) -> Result:
        found = []
        for arn in request["ResourceArns"]:
            tags = [{"Key": key, "Value": value} for key, value in self._any(arn)["_tags"].items()]
            found.append({"ResourceArn": arn, "Tags": tags})
        return {"TagDescriptions": found}

    def _any(self, arn: str) -> Document:
        kind = next((kind for part, kind in _KINDS.items() if part in arn), Kind.RULE)
        return self.items.get(kind, arn)


def _default_rule(listener: str) -> str:
    return f"{listener.replace(':listener/', ':listener-rule/')}/default"


def _check_conditions(conditions: list[dict[str, Any]]) -> None:
    if not conditions:
        raise ValidationError("A condition must be specified")
    for condition in conditions:
        field = condition.get("Field") or ""
        if field not in FIELDS:
            raise ValidationError(f"Condition field '{field}' must be one of '[{', '.join(FIELDS)}]'")
        config = condition.get(FIELDS[field]) or {}
        if condition.get("RegexValues") or config.get("RegexValues"):
            raise NotEmulated("elbv2 conditions with RegexValues")
        values = values_of(condition)
        if not values:
            raise ValidationError("A condition value must be specified")
        if field == "http-header" and not config.get("HttpHeaderName"):
            raise ValidationError("The HTTP header name must be specified")
        if field == "http-request-method" and not all(_METHOD.fullmatch(value) for value in values):
            raise ValidationError("The HTTP request method is not valid")
        if field == "source-ip":
            for value in values:
                try:
                    ipaddress.ip_network(value)
                except ValueError:
                    raise ValidationError(f"The source IP '{value}' must be in CIDR format") from None
