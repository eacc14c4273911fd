"""The request's body, checked against its schema, so that a refusal names the field.

API Gateway has seen before that no required field is missing, but only under the content type that its model is for.
"""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.validation import SchemaValidationError, validate

from src.shared.errors import Invalid

SCHEMAS = Path(__file__).parents[2] / "schemas"


def validated_body(app: APIGatewayRestResolver, schema: str) -> dict[str, Any]:
    """The body as an object of `schemas/<schema>.json`; numbers with a fraction are Decimal."""
    return check(parse(app.current_event.decoded_body), schema)


def parse(text: str | None) -> Any:
    try:
        return json.loads(text or "", parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Invalid("The body is not valid JSON", field="body") from None


def check(body: Any, schema: str) -> dict[str, Any]:
    try:
        validate(event=body, schema=_schema(schema))
    except SchemaValidationError as error:
        field = _field(error)
        raise Invalid(_words(error, field), field=field) from None
    return body


@cache
def _schema(name: str) -> dict[str, Any]:
    return json.loads((SCHEMAS / f"{name}.json").read_text())


def _field(error: SchemaValidationError) -> str:
    """The dotted name of what is wrong; for a missing or unknown property its own name, not the object's."""
    path = [str(part) for part in (error.path or [])[1:]]
    if error.rule == "required":
        path.append(next(name for name in error.rule_definition if name not in error.value))
    elif error.rule == "additionalProperties":
        path.append(min(name for name in error.value if name not in error.definition["properties"]))
    return ".".join(path) or "body"


def _words(error: SchemaValidationError, field: str) -> str:
    if error.rule == "required":
        return f"{field} is missing"
    if error.rule == "additionalProperties":
        return f"{field} is unknown"
    return str(error.validation_message).replace(str(error.name), field, 1)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
