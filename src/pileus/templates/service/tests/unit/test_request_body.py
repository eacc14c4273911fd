import json
from decimal import Decimal
from pathlib import Path

import pytest

from src.middleware import request_body
from src.shared.errors import Invalid

USER = {"email": "ada@example.com", "name": "Ada", "password": "long enough"}


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ("create-user", USER),
        ("update-user", {"role": "admin"}),
        ("create-product", {"name": "Mug", "price": Decimal("12.5")}),
        ("create-product", {"name": "Mug", "price": "12.50", "description": ""}),
        ("update-product", {"price": 0}),
        ("create-upload", {"contentType": "image/jpeg", "size": 1}),
    ],
)
def test_good_bodies_pass(schema, body):
    assert request_body.check(body, schema) is body


@pytest.mark.parametrize(
    ("schema", "body", "field"),
    [
        ("create-user", {}, "email"),
        ("create-user", USER | {"email": "ada"}, "email"),
        ("create-user", USER | {"email": "ada@example.com\n"}, "email"),
        ("create-user", USER | {"name": ""}, "name"),
        ("create-user", USER | {"name": 5}, "name"),
        ("create-user", USER | {"password": "short"}, "password"),
        ("create-user", {"email": "a@b.c", "name": "Ada"}, "password"),
        ("create-user", USER | {"role": "admin"}, "role"),
        ("create-user", [], "body"),
        ("create-user", "text", "body"),
        ("update-user", {}, "body"),
        ("update-user", {"role": "king"}, "role"),
        ("create-product", {"name": "Mug"}, "price"),
        ("create-product", {"name": "Mug", "price": -1}, "price"),
        ("create-product", {"name": "Mug", "price": "1e3"}, "price"),
        ("create-product", {"name": "Mug", "price": None}, "price"),
        ("create-upload", {"contentType": "image/png", "size": 1}, "contentType"),
        ("create-upload", {"contentType": "image/jpeg", "size": 10485761}, "size"),
    ],
)
def test_bad_bodies_are_refused_by_the_name_of_the_field(schema, body, field):
    with pytest.raises(Invalid) as refused:
        request_body.check(body, schema)
    assert refused.value.field == field
    assert field in refused.value.message


def test_fractions_stay_exact():
    assert request_body.parse('{"price": 19.99}') == {"price": Decimal("19.99")}


@pytest.mark.parametrize("text", [None, "", "{", '{"price": NaN}', "[" * 100_000])
def test_what_is_not_json_is_refused(text):
    with pytest.raises(Invalid) as refused:
        request_body.parse(text)
    assert refused.value.field == "body"


@pytest.mark.parametrize("path", sorted(request_body.SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_schemas_keep_to_what_api_gateway_takes(path: Path):
    schema = json.loads(path.read_text())
    assert schema["$schema"] == "http://json-schema.org/draft-04/schema#"
    assert schema["title"].isalnum()
    assert schema.get("required") != []
