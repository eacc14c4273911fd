"""Request validators: required parameters, and bodies against models."""

from __future__ import annotations

import json
from typing import Any

import pytest

SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["email", "name"],
    "properties": {
        "email": {"type": "string", "format": "email"},
        "name": {"type": "string", "minLength": 2, "maxLength": 5},
        "role": {"enum": ["user", "admin"]},
        "age": {"type": "integer", "minimum": 18, "maximum": 99},
        "tags": {"type": "array", "maxItems": 2, "uniqueItems": True},
        "code": {"pattern": "^[A-Z]+$"},
        "step": {"multipleOf": 5},
    },
    "additionalProperties": False,
}
GOOD = {"email": "a@b.co", "name": "Ann"}


def guarded(api: Any, schema: Any = None, **method: Any) -> None:
    validator = api.on(
        "CreateRequestValidator", name="v", validateRequestBody=True, validateRequestParameters=True
    )
    schema = SCHEMA if schema is None else schema
    api.on("CreateModel", name="M", contentType="application/json", schema=json.dumps(schema))
    method.setdefault("requestModels", {"application/json": "M"})
    api.method("POST", "/", requestValidatorId=validator["id"], **method)
    api.on(
        "PutGatewayResponse",
        responseType="BAD_REQUEST_BODY",
        responseTemplates={"application/json": '{"why":"$context.error.validationErrorString"}'},
    )
    api.deploy()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"email": None},
            'instance type (null) does not match any allowed primitive type (allowed: ["string"])',
        ),
        (
            {"name": 5},
            'instance type (integer) does not match any allowed primitive type (allowed: ["string"])',
        ),
        ({"email": "x"}, 'string "x" is not a valid email address'),
        ({"name": "A"}, 'string "A" is too short (length: 1, required minimum: 2)'),
        ({"name": "Abcdef"}, 'string "Abcdef" is too long (length: 6, maximum allowed: 5)'),
        ({"role": "x"}, 'instance value ("x") not found in enum (possible values: ["user","admin"])'),
        ({"age": 17}, "numeric instance is lower than the required minimum (minimum: 18, found: 17)"),
        ({"age": 100}, "numeric instance is greater than the required maximum (maximum: 99, found: 100)"),
        ({"tags": [1, 2, 3]}, "array is too long: must have at most 2 elements but instance has 3 elements"),
        ({"tags": [1, 1]}, "array must not contain duplicate elements"),
        ({"code": "a"}, 'ECMA 262 regex "^[A-Z]+$" does not match input string "a"'),
        ({"step": 7}, "remainder of division is not zero (7 / 5)"),
        ({"zz": 1}, 'object instance has properties which are not allowed by the schema: ["zz"]'),
    ],
)
def test_words(api: Any, change: dict[str, Any], words: str) -> None:
    guarded(api)
    response = api.get("POST", "/", json.dumps({**GOOD, **change}))
    assert (response.status, json.loads(response.body)) == (400, {"why": f"[{words}]"})


def test_missing_properties_are_told_together(api: Any) -> None:
    guarded(api)
    response = api.get("POST", "/", "{}")
    why = json.loads(response.body)["why"]
    assert why == '[object has missing required properties (["email","name"])]'


def test_the_answer_of_its_own(api: Any, functions: Any) -> None:
    guarded(api)
    api.on("DeleteGatewayResponse", responseType="BAD_REQUEST_BODY")
    api.deploy()
    for text in ("{}", "", "not json"):
        response = api.get("POST", "/", text)
        assert (response.status, response.body) == (400, b'{"message": "Invalid request body"}')
        assert response.headers["x-amzn-ErrorType"] == "BadRequestException"
    assert functions.events == []
    assert api.get("POST", "/", json.dumps(GOOD)).status == 200


def test_a_content_type_without_a_model_is_not_validated(api: Any) -> None:
    guarded(api)
    assert api.get("POST", "/", "x", content_type="text/plain").status == 200
    assert api.get("POST", "/", "x", content_type="application/json; charset=utf-8").status == 400


def test_models_refer_to_one_another(api: Any) -> None:
    item = {"type": "object", "required": ["id"]}
    api.on("CreateModel", name="Item", contentType="application/json", schema=json.dumps(item))
    ref = {"$ref": f"https://apigateway.amazonaws.com/restapis/{api.id}/models/Item"}
    guarded(api, {"type": "array", "items": ref})
    assert api.get("POST", "/", '[{"id":1}]').status == 200
    why = json.loads(api.get("POST", "/", "[{}]").body)["why"]
    assert why == '[object has missing required properties (["id"])]'


def test_required_parameters(api: Any) -> None:
    wanted = {
        "method.request.querystring.page": True,
        "method.request.querystring.size": False,
        "method.request.header.X-Who": True,
    }
    guarded(api, requestParameters=wanted)
    response = api.get("POST", "/", json.dumps(GOOD))
    assert response.status == 400
    assert response.body == b'{"message": "Missing required request parameters: [page, X-Who]"}'
    assert api.get("POST", "/?page=1", json.dumps(GOOD), **{"x-who": "me"}).status == 200
