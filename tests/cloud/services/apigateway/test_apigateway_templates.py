"""MOCK and Lambda integrations with mapping templates."""

from __future__ import annotations

import json
from typing import Any

import pytest

CORS = {
    "Access-Control-Allow-Origin": "'*'",
    "Access-Control-Allow-Headers": "'Content-Type,X-Api-Key'",
    "Access-Control-Allow-Methods": "'OPTIONS,POST'",
}


def templated(
    api: Any, verb: str, path: str, integration: dict[str, Any], *responses: dict[str, Any]
) -> None:
    api.bare_method(verb, path)
    where = {"resourceId": api.resource(path), "httpMethod": verb}
    api.on("PutIntegration", **where, **integration)
    for response in responses:
        declared = dict.fromkeys(response.get("responseParameters", {}), True)
        api.on("PutMethodResponse", **where, statusCode=response["statusCode"], responseParameters=declared)
        api.on("PutIntegrationResponse", **where, **response)


def mock(template: str = "{statusCode:200}", **members: Any) -> dict[str, Any]:
    return {"type": "MOCK", "requestTemplates": {"application/json": template}, **members}


def test_the_cors_preflight_of_serverless(api: Any, functions: Any) -> None:
    response = {
        "statusCode": "200",
        "responseParameters": {f"method.response.header.{name}": value for name, value in CORS.items()},
        "responseTemplates": {"application/json": ""},
    }
    templated(api, "OPTIONS", "/users", mock(contentHandling="CONVERT_TO_TEXT"), response)
    api.deploy()
    answer = api.get("OPTIONS", "/users", origin="http://x", access_control_request_method="POST")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Type"] == "application/json"
    for name, value in CORS.items():
        assert answer.headers[name] == value.strip("'")
    assert functions.events == []


@pytest.mark.parametrize(
    ("template", "status"),
    [
        ("{statusCode:200}", 200),
        ('{"statusCode": 404}', 404),
        ('{"statusCode": "503"}', 200),  # no pattern matches: the default response
        ("{}", 500),
        ("#if($input.params('fail') == '1'){\"statusCode\": 404}#else{\"statusCode\": 200}#end", 404),
    ],
)
def test_mock_status(api: Any, template: str, status: int) -> None:
    templated(
        api,
        "GET",
        "/",
        mock(template),
        {"statusCode": "200"},
        {"statusCode": "404", "selectionPattern": "4\\d\\d"},
    )
    api.deploy()
    assert api.get("GET", "/?fail=1").status == status


@pytest.mark.parametrize(
    ("passthrough", "content_type", "status"),
    [
        ("WHEN_NO_MATCH", "text/xml", 200),
        ("WHEN_NO_TEMPLATES", "text/xml", 415),
        ("NEVER", "text/xml", 415),
        ("NEVER", "application/json; charset=utf-8", 200),
    ],
)
def test_passthrough(api: Any, passthrough: str, content_type: str, status: int) -> None:
    templated(api, "POST", "/", mock(passthroughBehavior=passthrough), {"statusCode": "200"})
    api.deploy()
    answer = api.get("POST", "/", '{"statusCode": 200}', content_type=content_type)
    assert answer.status == status
    if status == 415:
        assert answer.body == b'{"message": "Unsupported Media Type"}'


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$input.params('id') $input.params('q') $input.params('user-agent')", "7 z test/1"),
        ("$input.params().path.id $input.params().querystring.get('q')", "7 z"),
        ("$input.params('none').length()", "0"),
        ("$context.httpMethod $context.resourcePath $context.identity.sourceIp", "POST /x/{id} 10.1.2.3"),
        ("$stageVariables.color $stageVariables.none.", "red ."),
        (
            "$util.escapeJavaScript(\"it's\") $util.urlEncode('a b&c') $util.urlDecode('a%20b')",
            "it\\'s a+b%26c a b",
        ),
        ("$util.base64Encode('hi') $util.base64Decode('aGk=')", "aGk= hi"),
        ('$util.parseJson(\'{"a":[1,{"b":2}]}\').a[1].b', "2"),
        ("$context.authorizer.claims.sub", ""),
    ],
)
def test_variables(api: Any, template: str, expected: str) -> None:
    response = {"statusCode": "200", "responseTemplates": {"text/plain": template}}
    templated(api, "POST", "/x/{id}", mock(), response)
    api.deploy(variables={"color": "red"})
    answer = api.get("POST", "/x/7?q=z", '{"a":1}')
    assert (answer.status, answer.body.decode()) == (200, expected)
    assert answer.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$input.json('$')", {"a": {"b": [1, 2]}, "c": "x"}),
        ("$input.json('$.a.b[0]')", 1),
        ("$input.json('$.gone')", ""),
        ("$input.json('$.a.b[*]')", [1, 2]),
        ("$input.json('$..b')", [[1, 2]]),
        ("$input.json('$.a.b.length()')", 2),
        ("$input.json('$.a.b[?(@ > 1)]')", [2]),
        ("$input.json(\"$[?(@.c == 'x' && @.a)].c\")", ["x"]),
        ("$input.json(\"$[?(@.c == 'y' || @.gone)].c\")", []),
        ("$input.json(\"$['c']\")", "x"),
        ("\"$input.path('$.c')\"", "x"),
        ("$input.body", {"a": {"b": [1, 2]}, "c": "x"}),
        ('#set($root = $input.path("$"))[#foreach($n in $root.a.b)$n#if($foreach.hasNext),#end#end]', [1, 2]),
    ],
)
def test_lambda_with_templates(api: Any, functions: Any, template: str, expected: Any) -> None:
    integration = {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": api.uri("f"),
        "requestTemplates": {"application/json": template},
    }
    functions.says("f", lambda event: {"got": event})
    templated(api, "POST", "/", integration, {"statusCode": "200"})
    api.deploy()
    answer = api.get("POST", "/", '{"a":{"b":[1,2]},"c":"x"}')
    assert functions.events == [expected]
    assert json.loads(answer.body) == {"got": expected}


def test_selection_patterns_and_response_mapping(api: Any, functions: Any) -> None:
    functions.fails("f", "[404] no such thing")
    integration = {"type": "AWS", "integrationHttpMethod": "POST", "uri": api.uri("f")}
    templated(
        api,
        "GET",
        "/",
        integration,
        {"statusCode": "200"},
        {
            "statusCode": "404",
            "selectionPattern": r"[\s\S]*\[404\][\s\S]*",
            "responseParameters": {"method.response.header.X-Why": "integration.response.body.errorMessage"},
            "responseTemplates": {
                "application/json": "#set($context.responseOverride.header.X-More = 'm')"
                '{"why": $input.json("$.errorMessage")}'
            },
        },
    )
    api.deploy()
    answer = api.get("GET", "/")
    assert answer.status == 404
    assert answer.headers["X-Why"] == "[404] no such thing"
    assert answer.headers["X-More"] == "m"
    assert json.loads(answer.body) == {"why": "[404] no such thing"}


def test_response_override_of_the_status(api: Any) -> None:
    response = {
        "statusCode": "200",
        "responseTemplates": {"application/json": "#set($context.responseOverride.status = 418)x"},
    }
    templated(api, "GET", "/", mock(), response)
    api.deploy()
    assert api.get("GET", "/").status == 418


def test_async_invocations(api: Any, functions: Any) -> None:
    integration = {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": api.uri("f"),
        "requestParameters": {"integration.request.header.X-Amz-Invocation-Type": "'Event'"},
    }
    templated(api, "POST", "/", integration, {"statusCode": "200"})
    api.deploy()
    answer = api.get("POST", "/", '{"later": 1}')
    assert (answer.status, answer.body) == (200, b"")
    assert functions.events == [{"later": 1}]


def test_no_matching_response_is_500(api: Any) -> None:
    templated(api, "GET", "/", mock(), {"statusCode": "404", "selectionPattern": "404"})
    api.deploy()
    answer = api.get("GET", "/")
    assert (answer.status, answer.body) == (500, b'{"message": "Internal server error"}')
