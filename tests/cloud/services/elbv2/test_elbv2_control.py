"""The control plane of load balancers, through boto3, and its CloudFormation types."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"


@pytest.fixture(scope="module")
def elb(shared_aws: Any) -> Any:
    return shared_aws.client("elbv2")


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def balancer(elb: Any, name: str) -> str:
    made = elb.create_load_balancer(
        Name=name, Subnets=["subnet-1", "subnet-2"], Tags=[{"Key": "a", "Value": "b"}]
    )
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def group(elb: Any, name: str) -> str:
    return str(elb.create_target_group(Name=name, TargetType="lambda")["TargetGroups"][0]["TargetGroupArn"])


def listener(elb: Any, name: str) -> tuple[str, str]:
    target = group(elb, f"{name}-g")
    actions = [{"Type": "forward", "TargetGroupArn": target}]
    made = elb.create_listener(
        LoadBalancerArn=balancer(elb, name), Protocol="HTTP", Port=80, DefaultActions=actions
    )
    return str(made["Listeners"][0]["ListenerArn"]), target


def test_load_balancers(elb: Any) -> None:
    arn = balancer(elb, "one")
    found = elb.describe_load_balancers(Names=["one"])["LoadBalancers"][0]
    assert found["LoadBalancerArn"] == arn
    assert (found["Type"], found["Scheme"], found["State"]) == (
        "application",
        "internet-facing",
        {"Code": "active"},
    )
    assert [zone["SubnetId"] for zone in found["AvailabilityZones"]] == ["subnet-1", "subnet-2"]
    assert refused(elb.create_load_balancer, Name="one", Subnets=[]) == "DuplicateLoadBalancerName"
    timeout = [{"Key": "idle_timeout.timeout_seconds", "Value": "5"}]
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=timeout)
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert timeout[0] in attributes
    assert elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"] == [{"Key": "a", "Value": "b"}]
    elb.delete_load_balancer(LoadBalancerArn=arn)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    assert refused(elb.describe_load_balancers, LoadBalancerArns=[arn]) == "LoadBalancerNotFound"
    assert refused(elb.create_load_balancer, Name="n", Type="network") == "NotEmulated"


def test_target_groups(elb: Any) -> None:
    arn = group(elb, "tg")
    found = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    assert (found["TargetType"], found["HealthCheckEnabled"], found["Matcher"]) == (
        "lambda",
        False,
        {"HttpCode": "200"},
    )
    assert found["HealthCheckIntervalSeconds"] == 35
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": FUNCTION}])
    health = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert health[0]["Target"]["Id"] == FUNCTION
    assert health[0]["TargetHealth"]["Reason"] == "Target.HealthCheckDisabled"
    assert (
        refused(elb.register_targets, TargetGroupArn=arn, Targets=[{"Id": f"{FUNCTION}2"}])
        == "TooManyTargets"
    )
    assert refused(elb.register_targets, TargetGroupArn=arn, Targets=[{"Id": "i-1"}]) == "InvalidTarget"
    assert refused(elb.create_target_group, Name="tg", TargetType="lambda") == "DuplicateTargetGroupName"
    assert refused(elb.create_target_group, Name="x", TargetType="ip", Port=80) == "NotEmulated"
    assert refused(elb.create_target_group, Name="x", TargetType="lambda", Port=80) == "ValidationError"


def test_listeners_and_rules(elb: Any) -> None:
    arn, target = listener(elb, "two")
    parent = elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]["LoadBalancerArn"]
    actions = [{"Type": "forward", "TargetGroupArn": target}]
    again = {"LoadBalancerArn": parent, "Protocol": "HTTP", "Port": 80, "DefaultActions": actions}
    assert refused(elb.create_listener, **again) == "DuplicateListener"
    conditions = [{"Field": "path-pattern", "Values": ["/a"]}]
    rule = elb.create_rule(ListenerArn=arn, Priority=7, Conditions=conditions, Actions=actions)["Rules"][0]
    assert rule["Priority"] == "7"
    made = {"ListenerArn": arn, "Conditions": conditions, "Actions": actions}
    assert refused(elb.create_rule, **made, Priority=7) == "PriorityInUse"
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": rule["RuleArn"], "Priority": 3}])
    rules = elb.describe_rules(ListenerArn=arn)["Rules"]
    assert [each["Priority"] for each in rules] == ["3", "default"]
    assert refused(elb.delete_rule, RuleArn=rules[1]["RuleArn"]) == "OperationNotPermitted"
    assert refused(elb.delete_target_group, TargetGroupArn=target) == "ResourceInUse"
    used = elb.describe_target_groups(LoadBalancerArn=parent)["TargetGroups"]
    assert [each["TargetGroupArn"] for each in used] == [target]
    elb.delete_listener(ListenerArn=arn)
    assert refused(elb.describe_rules, RuleArns=[rule["RuleArn"]]) == "RuleNotFound"
    elb.delete_target_group(TargetGroupArn=target)


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ({"Field": "path", "Values": ["/"]}, "ValidationError"),
        ({"Field": "path-pattern"}, "ValidationError"),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["x"]}}, "ValidationError"),
        ({"Field": "http-header", "HttpHeaderConfig": {"Values": ["x"]}}, "ValidationError"),
        ({"Field": "path-pattern", "RegexValues": ["x"]}, "NotEmulated"),
    ],
)
def test_conditions_that_are_none(elb: Any, condition: dict[str, Any], code: str) -> None:
    missing = "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/n/1/2"
    actions = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    request = {"Priority": 1, "Conditions": [condition], "Actions": actions}
    assert refused(elb.create_rule, ListenerArn=missing, **request) == "ListenerNotFound"
    found = elb.describe_load_balancers().get("LoadBalancers", [])
    if not any(each["LoadBalancerName"] == "three" for each in found):
        listener(elb, "three")
    own = elb.describe_load_balancers(Names=["three"])["LoadBalancers"][0]["LoadBalancerArn"]
    arn = elb.describe_listeners(LoadBalancerArn=own)["Listeners"][0]["ListenerArn"]
    assert refused(elb.create_rule, ListenerArn=arn, **request) == code


def test_users_can_not_be_authenticated_here(elb: Any) -> None:
    arn, target = listener(elb, "four")
    actions = [
        {
            "Type": "authenticate-cognito",
            "Order": 1,
            "AuthenticateCognitoConfig": {"UserPoolArn": "a", "UserPoolClientId": "b", "UserPoolDomain": "c"},
        },
        {"Type": "forward", "Order": 2, "TargetGroupArn": target},
    ]
    conditions = [{"Field": "path-pattern", "Values": ["/a"]}]
    assert (
        refused(elb.create_rule, ListenerArn=arn, Priority=1, Conditions=conditions, Actions=actions)
        == "NotEmulated"
    )


TEMPLATE = {
    "Resources": {
        "Balancer": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {"Subnets": ["subnet-1", "subnet-2"], "Name": "stacked"},
        },
        "Group": {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {
                "TargetType": "lambda",
                "Targets": [{"Id": FUNCTION}],
                "HealthCheckEnabled": False,
                "TargetGroupAttributes": [{"Key": "lambda.multi_value_headers.enabled", "Value": True}],
            },
        },
        "Listener": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": {"Ref": "Balancer"},
                "Port": "8080",
                "Protocol": "HTTP",
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}],
            },
        },
        "Rule": {
            "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
            "Properties": {
                "ListenerArn": {"Ref": "Listener"},
                "Priority": 1,
                "Conditions": [{"Field": "path-pattern", "Values": ["/a"]}],
                "Actions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}],
            },
        },
    },
    "Outputs": {
        "Name": {"Value": {"Fn::GetAtt": ["Balancer", "DNSName"]}},
        "Rule": {"Value": {"Ref": "Rule"}},
    },
}


def test_a_stack(shared_aws: Any, elb: Any) -> None:
    stacks = shared_aws.client("cloudformation")
    stacks.create_stack(StackName="lb", TemplateBody=json.dumps(TEMPLATE))
    shared_aws.drain()
    stack = stacks.describe_stacks(StackName="lb")["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.describe_stack_events(StackName="lb")
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    assert outputs["Name"].startswith("stacked-")
    rule = elb.describe_rules(RuleArns=[outputs["Rule"]])["Rules"][0]
    target = rule["Actions"][0]["TargetGroupArn"]
    attributes = elb.describe_target_group_attributes(TargetGroupArn=target)["Attributes"]
    assert attributes == [{"Key": "lambda.multi_value_headers.enabled", "Value": "true"}]
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Rule"]["Properties"] |= {
        "Priority": 9,
        "Conditions": [{"Field": "path-pattern", "Values": ["/b"]}],
    }
    stacks.update_stack(StackName="lb", TemplateBody=json.dumps(changed))
    shared_aws.drain()
    rule = elb.describe_rules(RuleArns=[outputs["Rule"]])["Rules"][0]
    assert (rule["Priority"], rule["Conditions"][0]["Values"]) == ("9", ["/b"])
    stacks.delete_stack(StackName="lb")
    shared_aws.drain()
    assert refused(elb.describe_load_balancers, Names=["stacked"]) == "LoadBalancerNotFound"
