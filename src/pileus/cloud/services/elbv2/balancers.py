"""LoadBalancer and Listener."""

from __future__ import annotations

from typing import Any

from pileus.cloud.kernel import Call, NotEmulated, ValidationError, operation

from .actions import check_actions
from .errors import DuplicateListener, DuplicateLoadBalancerName
from .items import Document, Kind, Operations, Request, Result, attributes_of, shown, tags_of

_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http2.enabled": "true",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "load_balancing.cross_zone.enabled": "true",
}
_ZONES = "abcdef"


class Balancers(Operations):
    @operation("CreateLoadBalancer")
    def create_load_balancer(self, call: Call, request: Request) -> Result:
        kind = request.get("Type") or "application"
        if kind != "application":
            raise NotEmulated(f"elbv2 load balancers of the type {kind}")
        for member in ("CustomerOwnedIpv4Pool", "IpamPools", "EnablePrefixForIpv6SourceNat"):
            if request.get(member):
                raise NotEmulated(f"elbv2 CreateLoadBalancer.{member}")
        name = request["Name"]
        if self.items.named(call, Kind.BALANCER, name) is not None:
            raise DuplicateLoadBalancerName(
                "A load balancer with the same name exists, but with different settings"
            )
        subnets = [
            *(request.get("Subnets") or ()),
            *(m["SubnetId"] for m in request.get("SubnetMappings") or ()),
        ]
        scheme = request.get("Scheme") or "internet-facing"
        host = f"{'internal-' if scheme == 'internal' else ''}{name}-{int(call.ids.hex(10), 16):010d}"
        arn = call.arn(f"loadbalancer/app/{name}/{call.ids.hex(16)}", service="elasticloadbalancing")
        document: Document = {
            "LoadBalancerArn": arn,
            "DNSName": f"{host}.{call.region}.elb.localhost",
            "CanonicalHostedZoneId": "Z35SXDOTRQ7X7K",
            "CreatedTime": int(call.now),
            "LoadBalancerName": name,
            "Scheme": scheme,
            "VpcId": "vpc-00000000",
            "State": {"Code": "active"},
            "Type": kind,
            "AvailabilityZones": _zones(call, subnets),
            "SecurityGroups": list(request.get("SecurityGroups") or ()),
            "IpAddressType": request.get("IpAddressType") or "ipv4",
            "_attributes": dict(_ATTRIBUTES),
            "_tags": tags_of(request),
        }
        self.items.put((call.account, call.region), Kind.BALANCER, arn, document, name=name)
        return {"LoadBalancers": [shown(document)]}

    @operation("DescribeLoadBalancers")
    def describe_load_balancers(self, call: Call, request: Request) -> Result:
        if names := request.get("Names"):
            found = [self._balancer_named(call, name) for name in names]
            return {"LoadBalancers": [shown(each) for each in found]}
        found, marker = self.listed(call, Kind.BALANCER, request.get("LoadBalancerArns"), request)
        return {"LoadBalancers": [shown(each) for each in found], "NextMarker": marker}

    def _balancer_named(self, call: Call, name: str) -> Document:
        return self.items.named(call, Kind.BALANCER, name) or self.items.get(Kind.BALANCER, "")

    @operation("DeleteLoadBalancer")
    def delete_load_balancer(self, call: Call, request: Request) -> Result:
        """With its listeners and their rules; one that is gone is no error."""
        arn = request["LoadBalancerArn"]
        for listener in self.items.under(arn):
            self._drop_listener(listener["ListenerArn"])
        self.items.delete(arn)
        self.plane.forget()
        return {}

    @operation("DescribeLoadBalancerAttributes")
    def describe_load_balancer_attributes(self, call: Call, request: Request) -> Result:
        return {"Attributes": attributes_of(self.items.get(Kind.BALANCER, request["LoadBalancerArn"]))}

    @operation("ModifyLoadBalancerAttributes")
    def modify_load_balancer_attributes(self, call: Call, request: Request) -> Result:
        document = self.items.get(Kind.BALANCER, request["LoadBalancerArn"])
        for attribute in request["Attributes"]:
            if attribute["Key"] not in _ATTRIBUTES:
                raise ValidationError(f"Load balancer attribute key '{attribute['Key']}' is not recognized")
            document["_attributes"][attribute["Key"]] = attribute.get("Value") or ""
        self.items.change(document["LoadBalancerArn"], document)
        return {"Attributes": attributes_of(document)}

    @operation("SetSecurityGroups")
    def set_security_groups(self, call: Call, request: Request) -> Result:
        document = self.items.get(Kind.BALANCER, request["LoadBalancerArn"])
        document["SecurityGroups"] = list(request["SecurityGroups"])
        self.items.change(document["LoadBalancerArn"], document)
        return {"SecurityGroupIds": document["SecurityGroups"]}

    @operation("SetSubnets")
    def set_subnets(self, call: Call, request: Request) -> Result:
        document = self.items.get(Kind.BALANCER, request["LoadBalancerArn"])
        subnets = [
            *(request.get("Subnets") or ()),
            *(m["SubnetId"] for m in request.get("SubnetMappings") or ()),
        ]
        document["AvailabilityZones"] = _zones(call, subnets)
        self.items.change(document["LoadBalancerArn"], document)
        return {"AvailabilityZones": document["AvailabilityZones"]}

    # -- listeners --------------------------------------------------------------------------------------------------

    @operation("CreateListener")
    def create_listener(self, call: Call, request: Request) -> Result:
        balancer = self.items.get(Kind.BALANCER, request["LoadBalancerArn"])
        if request.get("MutualAuthentication"):
            raise NotEmulated("elbv2 CreateListener.MutualAuthentication")
        parent, port = balancer["LoadBalancerArn"], request.get("Port")
        if request.get("Protocol") not in ("HTTP", "HTTPS") or port is None:
            raise ValidationError(
                "A listener of an application load balancer needs a port, and the protocol HTTP or HTTPS"
            )
        if any(other.get("Port") == port for other in self.items.under(parent)):
            raise DuplicateListener("A listener already exists on this port for this load balancer")
        check_actions(self.items, request["DefaultActions"])
        arn = f"{parent.replace(':loadbalancer/', ':listener/')}/{call.ids.hex(16)}"
        document = {
            "ListenerArn": arn,
            "LoadBalancerArn": parent,
            "Port": port,
            "Protocol": request["Protocol"],
            "Certificates": request.get("Certificates"),
            "SslPolicy": request.get("SslPolicy"),
            "DefaultActions": list(request["DefaultActions"]),
            "_tags": tags_of(request),
        }
        self.items.put((call.account, call.region), Kind.LISTENER, arn, document, parent)
        self.plane.forget()
        return {"Listeners": [shown(document)]}

    def stand_in(self, call: Call, arn: str) -> None:
        """A listener of a load balancer that exists elsewhere, so that rules on it can be made and served here.

        What no rule takes, it answers with 404.
        """
        if self.items.find(Kind.LISTENER, arn) is not None:
            return
        answer = {"StatusCode": "404", "ContentType": "text/plain"}
        document: dict[str, Any] = {
            "ListenerArn": arn,
            "LoadBalancerArn": arn.replace(":listener/", ":loadbalancer/").rpartition("/")[0],
            "Port": 80,
            "Protocol": "HTTP",
            "DefaultActions": [{"Type": "fixed-response", "Order": 1, "FixedResponseConfig": answer}],
            "_tags": {},
        }
        place = (call.account, call.region)
        self.items.put(place, Kind.LISTENER, arn, document, document["LoadBalancerArn"])
        self.plane.forget()

    @operation("DescribeListeners")
    def describe_listeners(self, call: Call, request: Request) -> Result:
        if balancer := request.get("LoadBalancerArn"):
            self.items.get(Kind.BALANCER, balancer)
            return {"Listeners": [shown(each) for each in self.items.under(balancer)]}
        if not request.get("ListenerArns"):
            raise ValidationError("You must specify either listener ARNs or a load balancer ARN")
        found, _ = self.listed(call, Kind.LISTENER, request["ListenerArns"], request)
        return {"Listeners": [shown(each) for each in found]}

    @operation("ModifyListener")
    def modify_listener(self, call: Call, request: Request) -> Result:
        document = self.items.get(Kind.LISTENER, request["ListenerArn"])
        if request.get("MutualAuthentication"):
            raise NotEmulated("elbv2 ModifyListener.MutualAuthentication")
        if request.get("DefaultActions"):
            check_actions(self.items, request["DefaultActions"])
        for member in ("Port", "Protocol", "Certificates", "SslPolicy", "DefaultActions"):
            if request.get(member) is not None:
                document[member] = request[member]
        self.items.change(document["ListenerArn"], document)
        self.plane.forget()
        return {"Listeners": [shown(document)]}

    @operation("DeleteListener")
    def delete_listener(self, call: Call, request: Request) -> Result:
        self.items.get(Kind.LISTENER, request["ListenerArn"])
        self._drop_listener(request["ListenerArn"])
        self.plane.forget()
        return {}

    def _drop_listener(self, arn: str) -> None:
        for rule in self.items.under(arn):
            self.items.delete(rule["RuleArn"])
        self.items.delete(arn)


def _zones(call: Call, subnets: list[str]) -> list[dict[str, str]]:
    """Which zone a subnet is in is not known here: they are dealt out in order."""
    return [
        {"ZoneName": f"{call.region}{_ZONES[index % len(_ZONES)]}", "SubnetId": subnet}
        for index, subnet in enumerate(subnets)
    ]
