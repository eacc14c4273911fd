"""TargetGroup: a function and how it is asked."""

from __future__ import annotations

from collections.abc import Iterator

from pileus.cloud.kernel import Call, NotEmulated, ValidationError, operation

from .actions import groups_of
from .errors import DuplicateTargetGroupName, InvalidTarget, ResourceInUse, TooManyTargets
from .items import Document, Kind, Operations, Request, Result, attributes_of, shown, tags_of

MANY = "lambda.multi_value_headers.enabled"
_CHECK = {
    "HealthCheckPath": "/",
    "HealthCheckIntervalSeconds": 35,
    "HealthCheckTimeoutSeconds": 30,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 2,
}


class Groups(Operations):
    @operation("CreateTargetGroup")
    def create_target_group(self, call: Call, request: Request) -> Result:
        kind, name = request.get("TargetType") or "instance", request["Name"]
        if kind != "lambda":
            raise NotEmulated(f"elbv2 target groups of the type {kind}")
        for member in (
            "Protocol",
            "ProtocolVersion",
            "Port",
            "VpcId",
            "HealthCheckProtocol",
            "HealthCheckPort",
        ):
            if request.get(member):
                raise ValidationError(
                    f"{member} cannot be specified for target groups with target type 'lambda'"
                )
        if self.items.named(call, Kind.GROUP, name) is not None:
            raise DuplicateTargetGroupName(
                "A target group with the same name exists, but with different settings"
            )
        arn = call.arn(f"targetgroup/{name}/{call.ids.hex(16)}", service="elasticloadbalancing")
        document: Document = {
            "TargetGroupArn": arn,
            "TargetGroupName": name,
            "TargetType": kind,
            "IpAddressType": "ipv4",
            "HealthCheckEnabled": bool(request.get("HealthCheckEnabled", False)),
            **{key: request.get(key) or default for key, default in _CHECK.items()},
            "Matcher": {"HttpCode": (request.get("Matcher") or {}).get("HttpCode") or "200"},
            "_attributes": {MANY: "false"},
            "_tags": tags_of(request),
            "_targets": [],
        }
        self.items.put((call.account, call.region), Kind.GROUP, arn, document, name=name)
        return {"TargetGroups": [{**shown(document), "LoadBalancerArns": []}]}

    @operation("DescribeTargetGroups")
    def describe_target_groups(self, call: Call, request: Request) -> Result:
        marker = None
        if names := request.get("Names"):
            found = [self.items.named(call, Kind.GROUP, n) or self.items.get(Kind.GROUP, "") for n in names]
        else:
            found, marker = self.listed(call, Kind.GROUP, request.get("TargetGroupArns"), request)
        used = self._users(call)
        if balancer := request.get("LoadBalancerArn"):
            found = [group for group in found if balancer in used.get(group["TargetGroupArn"], ())]
        groups = [
            {**shown(each), "LoadBalancerArns": sorted(used.get(each["TargetGroupArn"], ()))}
            for each in found
        ]
        return {"TargetGroups": groups, "NextMarker": marker}

    def _users(self, call: Call) -> dict[str, set[str]]:
        """The load balancers that forward to each target group."""
        found: dict[str, set[str]] = {}
        for listener, action in self._actions(call):
            for arn, _ in groups_of(action):
                found.setdefault(arn, set()).add(listener["LoadBalancerArn"])
        return found

    def _actions(self, call: Call) -> Iterator[tuple[Document, Document]]:
        listeners, _ = self.items.page(call, Kind.LISTENER, {})
        for listener in listeners:
            for action in listener["DefaultActions"]:
                yield listener, action
            for rule in self.items.under(listener["ListenerArn"]):
                for action in rule["Actions"]:
                    yield listener, action

    @operation("ModifyTargetGroup")
    def modify_target_group(self, call: Call, request: Request) -> Result:
        document = self.items.get(Kind.GROUP, request["TargetGroupArn"])
        for member in (*_CHECK, "HealthCheckEnabled", "Matcher"):
            if request.get(member) is not None:
                document[member] = request[member]
        self._keep_group(document)
        return {"TargetGroups": [shown(document)]}

    @operation("DeleteTargetGroup")
    def delete_target_group(self, call: Call, request: Request) -> Result:
        arn = request["TargetGroupArn"]
        if arn in self._users(call):
            raise ResourceInUse(f"Target group '{arn}' is currently in use by a listener or a rule")
        self.items.delete(arn)
        self.plane.forget()
        return {}

    @operation("DescribeTargetGroupAttributes")
    def describe_target_group_attributes(self, call: Call, request: Request) -> Result:
        return {"Attributes": attributes_of(self.items.get(Kind.GROUP, request["TargetGroupArn"]))}

    @operation("ModifyTargetGroupAttributes")
    def modify_target_group_attributes(self, call: Call, request: Request) -> Result:
        document = self.items.get(Kind.GROUP, request["TargetGroupArn"])
        for attribute in request["Attributes"]:
            key, value = attribute["Key"], (attribute.get("Value") or "").lower()
            if key != MANY:
                raise ValidationError(f"Target group attribute key '{key}' is not recognized")
            if value not in ("true", "false"):
                raise ValidationError(f"Target group attribute value '{value}' is not valid for '{key}'")
            document["_attributes"][key] = value
        self._keep_group(document)
        return {"Attributes": attributes_of(document)}

    # -- targets ----------------------------------------------------------------------------------------------------

    @operation("RegisterTargets")
    def register_targets(self, call: Call, request: Request) -> Result:
        document = self.items.get(Kind.GROUP, request["TargetGroupArn"])
        for target in request["Targets"]:
            if ":function:" not in target["Id"]:
                raise InvalidTarget(f"The target '{target['Id']}' is not a Lambda function ARN")
            if target.get("Port") is not None:
                raise ValidationError("Port cannot be specified for a target that is a Lambda function")
            if target["Id"] not in document["_targets"]:
                document["_targets"].append(target["Id"])
        if len(document["_targets"]) > 1:
            raise TooManyTargets("A target group with the target type 'lambda' can have one target only")
        self._keep_group(document)
        return {}

    @operation("DeregisterTargets")
    def deregister_targets(self, call: Call, request: Request) -> Result:
        document = self.items.get(Kind.GROUP, request["TargetGroupArn"])
        gone = {target["Id"] for target in request["Targets"]}
        document["_targets"] = [target for target in document["_targets"] if target not in gone]
        self._keep_group(document)
        return {}

    @operation("DescribeTargetHealth")
    def describe_target_health(self, call: Call, request: Request) -> Result:
        document = self.items.get(Kind.GROUP, request["TargetGroupArn"])
        wanted = {target["Id"] for target in request.get("Targets") or ()}
        health = self.plane.health.of(document)
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": target, "AvailabilityZone": "all"}, "TargetHealth": health}
                for target in document["_targets"]
                if not wanted or target in wanted
            ]
        }

    def _keep_group(self, document: Document) -> None:
        self.items.change(document["TargetGroupArn"], document)
        self.plane.forget()
        self.plane.health.follow(document)
