"""The request's body, checked against the same schema that API Gateway has.

API Gateway checks a body only under the content type that its model is for; here it is always checked.
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
        raise Invalid(str(error.validation_message).replace("data", field, 1), field=field) from None
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


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
