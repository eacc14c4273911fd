"""What CloudFormation refuses of a template, and what its functions give. In its words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pileus.cloud.kernel import AwsError
from pileus.cloud.services.cloudformation.bodies import parse_body
from pileus.cloud.services.cloudformation.parameters import given_values
from pileus.cloud.services.cloudformation.plan import Place, blueprint, parameter_values
from pileus.cloud.services.cloudformation.references import check_names
from pileus.cloud.services.cloudformation.template import Template, read_template

PLACE = Place("123456789012", "eu-west-1", "st", "arn:aws:cloudformation:eu-west-1:123456789012:stack/st/1")


def planned(document: dict[str, Any], **parameters: str) -> Any:
    template = read_template(json.dumps(document))
    check_names(template)
    return evaluated(template, parameters)


def evaluated(template: Template, parameters: dict[str, str]) -> Any:
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    detail = {"parameters": given_values(template.parameters, given), "resolved": {}}
    return blueprint(template, parameter_values(template.parameters, detail, PLACE))


def resource(value: Any, **more: Any) -> dict[str, Any]:
    return {"Resources": {"R": {"Type": "T", "Properties": {"P": value}}, "O": {"Type": "T"}}, **more}


def test_yaml_with_short_tags_is_the_same_as_json() -> None:
    body = """
    AWSTemplateFormatVersion: 2010-09-09
    Conditions:
      C: !Equals [a, a]
      D: !Not [!Condition C]
    Resources:
      R:
        Type: T
        Properties:
          A: !GetAtt O.Arn.Deep
          B: !GetAtt [O, Arn]
          C: !Sub "${O}-${AWS::Region}"
          D: !Join ["-", [!Ref O, b]]
          E: !If [C, {x: 1}, !Ref "AWS::NoValue"]
          Account: 012345678901
          Number: 12
          Version: 2012-10-17
          Yes: true
          Hex: 1e3
    """
    assert parse_body(body)["Resources"]["R"]["Properties"] == {
        "A": {"Fn::GetAtt": ["O", "Arn.Deep"]},
        "B": {"Fn::GetAtt": ["O", "Arn"]},
        "C": {"Fn::Sub": "${O}-${AWS::Region}"},
        "D": {"Fn::Join": ["-", [{"Ref": "O"}, "b"]]},
        "E": {"Fn::If": ["C", {"x": 1}, {"Ref": "AWS::NoValue"}]},
        "Account": "012345678901",
        "Number": 12,
        "Version": "2012-10-17",
        "Yes": True,
        "Hex": 1000.0,
    }
    assert parse_body(body)["AWSTemplateFormatVersion"] == "2010-09-09"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "Template format error: JSON not well-formed. (line 1, column 2)"),
        ("a: b: c", "Template format error: YAML not well-formed. (line 1, column 5)"),
        ("a: 1\na: 2\n", "Template format error: YAML not well-formed. (line 2, column 1)"),
        ("just text", "Template format error: unsupported structure."),
        ('{"Resorces":{}}', "Invalid template property or properties [Resorces]"),
        ('{"Resources":{}}', "Template format error: At least one Resources member must be defined."),
        ('{"Resources":{"A-b":{"Type":"T"}}}', "Template format error: Resource name A-b is non alphanumeric."),
        ('{"Resources":{"A":{}}}', "Template format error: [/Resources/A] Every Resources object must contain a Type member."),
        ('{"Resources":{"A":{"Type":"T","Propertys":{}}}}', "Invalid template resource property 'Propertys'"),
        ('{"Resources":{"A":{"Type":"T","DeletionPolicy":"Keep"}}}', "Template format error: Unrecognized DeletionPolicy Keep for resource A"),
        ('{"Resources":{"A":{"Type":"T","DeletionPolicy":"Snapshot"}}}', "Template error: resource type T does not support deletion policy Snapshot"),
        ('{"Resources":{"A":{"Type":"T"}},"Parameters":{"P":{"Type":"Text"}}}', "Template format error: Unrecognized parameter type: Text"),
        ('{"Resources":{"A":{"Type":"T"}},"Transform":"AWS::Serverless-2016-10-31"}', "Pileus does not emulate cloudformation the transform AWS::Serverless-2016-10-31 yet; the call was refused and nothing was changed."),
    ],
)  # fmt: skip
def test_bodies_that_are_refused(body: str, message: str) -> None:
    with pytest.raises(AwsError) as refused:
        read_template(body)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (resource({"Ref": "X"}), "Template format error: Unresolved resource dependencies [X] in the Resources block of the template"),
        (resource({"Fn::Sub": "${X} ${Y.Z} ${!No}"}), "Template error: instance of Fn::GetAtt references undefined resource Y"),
        (resource({"Fn::GetAtt": ["X", "Arn"]}), "Template error: instance of Fn::GetAtt references undefined resource X"),
        (resource({"Fn::GetAtt": ["O"]}), "Template error: Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"),
        (resource(1, Outputs={"Z": {"Value": {"Ref": "X"}}}), "Template format error: Unresolved resource dependencies [X] in the Outputs block of the template"),
        (resource(1, Conditions={"C": {"Fn::Equals": [{"Ref": "O"}, "x"]}}), "Template format error: Unresolved dependencies [O]. Cannot reference resources in the Conditions block of the template"),
        (resource({"Fn::If": ["C", 1, 2]}), "Template format error: Unresolved condition dependency C in the Resources block of the template"),
        (resource({"Ref": "R"}), "Circular dependency between resources: [R]"),
        ({"Resources": {"A": {"Type": "T", "DependsOn": "B"}, "B": {"Type": "T", "Properties": {"P": {"Fn::Sub": "${C}"}}}, "C": {"Type": "T", "DependsOn": ["A"]}, "D": {"Type": "T", "DependsOn": "A"}}}, "Circular dependency between resources: [A, B, C]"),
        ({"Resources": {"A": {"Type": "T", "DependsOn": "Z"}}}, "Template format error: Unresolved resource dependencies [Z] in the Resources block of the template"),
        (resource({"Ref": "G"}, Conditions={"No": {"Fn::Equals": ["a", "b"]}}) | {"Resources": {"R": {"Type": "T", "Properties": {"P": {"Ref": "G"}}}, "G": {"Type": "T", "Condition": "No"}}}, "Template format error: Unresolved resource dependencies [G] in the Resources block of the template"),
        (resource({"Fn::Select": ["3", ["a"]]}), "Template error: Fn::Select cannot select nonexistent value at index 3"),
        (resource({"Fn::FindInMap": ["M", "a", "b"]}), "Template error: Mapping named 'M' is not present in the 'Mappings' section of template."),
        (resource({"Fn::FindInMap": ["M", "a", "c"]}, Mappings={"M": {"a": {"b": 1}}}), "Template error: Unable to get mapping for M::a::c"),
        (resource({"Fn::Length": [1]}), "Template error: Fn::Length needs the transform AWS::LanguageExtensions in the template"),
        (resource({"Fn::Join": ["-", "x"]}), "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."),
    ],
)  # fmt: skip
def test_templates_that_are_refused(document: dict, message: str) -> None:
    with pytest.raises(AwsError) as refused:
        planned(document)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "AWS::StackName"}, "st"),
        ({"Ref": "Text"}, "t"),
        ({"Ref": "List"}, ["a", "b"]),
        ({"Ref": "Number"}, "7"),
        ([1, {"Ref": "AWS::NoValue"}, {"a": {"Ref": "AWS::NoValue"}}], [1, {}]),
        ({"Fn::Sub": "x${Text}-${Number}-${!Text}-${AWS::AccountId}"}, "xt-7-${Text}-123456789012"),
        ({"Fn::Sub": ["${a}${Text}", {"a": {"Fn::Join": ["", ["p", "q"]]}}]}, "pqt"),
        ({"Fn::Sub": ["${a.b}", {"a.b": 3}]}, "3"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Join": ["", ["a", 1, True]]}, "a1true"),
        ({"Fn::Select": [1, {"Ref": "List"}]}, "b"),
        ({"Fn::Select": [{"Fn::FindInMap": ["M", "k", "index"]}, ["x", "y"]]}, "y"),
        ({"Fn::Split": ["|", "a|b||c"]}, ["a", "b", "", "c"]),
        ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "list"]}, ["p", "q"]),
        ({"Fn::If": ["Yes", {"Fn::If": ["No", 1, 2]}, 3]}, 2),
        ({"Fn::If": ["Both", 1, 2]}, 2),
        ({"Fn::If": ["Either", 1, 2]}, 1),
        ({"Fn::Base64": "héllo"}, "aMOpbGxv"),
        ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ({"Fn::GetAZs": "us-east-2"}, ["us-east-2a", "us-east-2b", "us-east-2c"]),
        ({"Fn::Cidr": ["10.0.0.0/24", 3, 5]}, ["10.0.0.0/27", "10.0.0.32/27", "10.0.0.64/27"]),
        ({"Fn::Select": ["1", {"Fn::Cidr": ["10.0.0.0/16", "6", "8"]}]}, "10.0.1.0/24"),
        ({"Fn::ToJsonString": {"a": [{"Ref": "Text"}]}}, '{"a":["t"]}'),
        ({"Fn::Length": {"Ref": "List"}}, 2),
        ({"Fn::FindInMap": ["M", "none", "x", {"DefaultValue": "d"}]}, "d"),
        ({"Statement": {"Condition": {"StringEquals": {"a": "b"}}}}, {"Statement": {"Condition": {"StringEquals": {"a": "b"}}}}),
        ({"Condition": "free"}, {"Condition": "free"}),
    ],
)  # fmt: skip
def test_functions(node: Any, value: Any) -> None:
    document = resource(
        node,
        Transform="AWS::LanguageExtensions",
        Parameters={
            "Text": {"Type": "String", "Default": "t"},
            "Number": {"Type": "Number", "Default": 7},
            "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
        },
        Mappings={"M": {"eu-west-1": {"list": ["p", "q"]}, "k": {"index": 1}}},
        Conditions={
            "Yes": {"Fn::Equals": [{"Ref": "Text"}, "t"]},
            "No": {"Fn::Not": [{"Condition": "Yes"}]},
            "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
            "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
        },
    )
    assert planned(document).properties["R"] == {"P": value}


def test_conditions_leave_resources_and_outputs_out() -> None:
    document = {
        "Parameters": {"Stage": {"Type": "String"}},
        "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Resources": {
            "Always": {"Type": "T", "DependsOn": "Alarm", "Properties": {"P": {"Fn::If": ["Prod", {"Ref": "Alarm"}, "none"]}}},
            "Alarm": {"Type": "T", "Condition": "Prod"},
        },
        "Outputs": {"Name": {"Condition": "Prod", "Value": {"Ref": "Alarm"}}},
    }  # fmt: skip
    dev, prod = planned(document, Stage="dev"), planned(document, Stage="prod")
    assert (dev.order, dev.outputs, dev.properties["Always"]) == (("Always",), {}, {"P": "none"})
    assert prod.order == ("Alarm", "Always") and "Name" in prod.outputs


@pytest.mark.parametrize(
    ("spec", "value", "message"),
    [
        ({}, None, "Parameters: [P] must have values"),
        ({"AllowedValues": ["a", 1]}, "b", "Parameter 'P' must be one of AllowedValues"),
        ({"AllowedPattern": "[a-z]+"}, "A", "Parameter 'P' must match pattern [a-z]+"),
        ({"AllowedPattern": "[a-z]+", "ConstraintDescription": "lower case"}, "A", "Parameter P failed to satisfy constraint: lower case"),
        ({"MinLength": 3}, "ab", "Parameter 'P' must contain at least 3 characters"),
        ({"MaxLength": "1"}, "ab", "Parameter 'P' must contain at most 1 characters"),
        ({"Type": "Number"}, "x", "Parameter 'P' must be a number"),
        ({"Type": "Number", "MinValue": 5}, "4", "Parameter 'P' must be a number not less than 5"),
        ({"Type": "Number", "MaxValue": 5}, "5.5", "Parameter 'P' must be a number not greater than 5"),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "a,c", "Parameter 'P' must be one of AllowedValues"),
    ],
)  # fmt: skip
def test_parameters_that_are_refused(spec: dict, value: str | None, message: str) -> None:
    document = resource({"Ref": "P"}, Parameters={"P": {"Type": "String", **spec}})
    with pytest.raises(AwsError) as refused:
        planned(document, **({} if value is None else {"P": value}))
    assert refused.value.message == message


def test_parameters_that_do_not_exist() -> None:
    with pytest.raises(AwsError, match=r"Parameters: \[A, B\] do not exist in the template"):
        planned(resource(1), A="1", B="2")
