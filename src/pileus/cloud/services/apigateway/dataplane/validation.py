"""Request validation: required parameters, and bodies against models (JSON Schema draft 4).

The words are those of the Java validator that API Gateway uses, as `$context.error.validationErrorString` shows them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

_MODEL_REF = "https://apigateway.amazonaws.com/restapis/"
_MAX_ERRORS = 50


class BodySchema:
    """One model, compiled."""

    def __init__(self, validator: Any) -> None:
        self._validator = validator

    def problems(self, body: bytes) -> list[str]:
        """What is wrong with the body; nothing where it is valid."""
        try:
            instance = orjson.loads(body)
        except orjson.JSONDecodeError:
            return ["Invalid JSON"]
        if self._validator.is_valid(instance):
            return []
        errors = []
        for error in self._validator.iter_errors(instance):
            errors.append(error)
            if len(errors) == _MAX_ERRORS:
                break
        return _words(errors)


def compile_schema(schema: Any, models: Mapping[str, Any]) -> BodySchema:
    """models: the API's other schemas by name, for `$ref`s to them. Raises ValueError for what is no schema."""
    import jsonschema_rs  # late: only an API with models needs it

    if not isinstance(schema, dict):
        raise ValueError("a schema must be an object")
    needed: dict[str, Any] = {}
    whole = _inlined(schema, models, needed)
    if needed:
        whole["definitions"] = {**whole.get("definitions", {}), **needed}
    whole.pop("$schema", None)
    return BodySchema(jsonschema_rs.Draft4Validator(whole, validate_formats=True))


def _inlined(schema: Any, models: Mapping[str, Any], needed: dict[str, Any]) -> Any:
    """The schema with references to other models turned into definitions of its own."""
    if isinstance(schema, list):
        return [_inlined(item, models, needed) for item in schema]
    if not isinstance(schema, dict):
        return schema
    ref = schema.get("$ref")
    if isinstance(ref, str) and ref.startswith(_MODEL_REF):
        name = ref.rpartition("/")[2]
        if name not in models:
            return {}  # checked when the API is deployed; a schema alone can't know
        key = f"pileus.model.{name}"
        if key not in needed:
            needed[key] = {}
            needed[key] = _inlined(models[name], models, needed)
        return {"$ref": f"#/definitions/{key}"}
    return {key: _inlined(value, models, needed) for key, value in schema.items()}


def _words(errors: list[Any]) -> list[str]:
    found: list[str] = []
    missing: dict[tuple[Any, ...], list[str]] = {}
    order: list[tuple[int, str | tuple[Any, ...]]] = []
    for error in errors:
        depth = len(error.instance_path)
        if error.kind.name == "required":
            where = tuple(error.instance_path)
            if where not in missing:
                missing[where] = []
                order.append((depth, where))
            missing[where].append(error.kind.property)
        else:
            order.append((depth, _word(error)))
    for _, item in sorted(order, key=lambda entry: entry[0]):
        if isinstance(item, str):
            found.append(item)
        else:
            found.append(f"object has missing required properties ({_json(sorted(missing[item]))})")
    return found


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


_FORMATS = {
    "email": 'string "{0}" is not a valid email address',
    "date-time": 'string "{0}" is invalid against requested date format(s)'
    " [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{{1,12}}Z]",
    "date": 'string "{0}" is invalid against requested date format(s) yyyy-MM-dd',
    "ipv4": 'string "{0}" is not a valid IPv4 address',
    "ipv6": 'string "{0}" is not a valid IPv6 address',
    "hostname": 'string "{0}" is not a valid hostname',
    "uri": 'string "{0}" is not a valid URI',
    "uuid": 'input string "{0}" is not a valid UUID',
    "regex": 'string "{0}" is not a valid ECMA 262 regular expression',
}


def _word(error: Any) -> str:
    """One error in the Java validator's words."""
    kind, value = error.kind, error.instance
    name = kind.name
    if name == "type":
        return (
            f"instance type ({_type(value)}) does not match any allowed primitive type"
            f" (allowed: {_json(sorted(kind.types))})"
        )
    if name == "enum":
        return f"instance value ({_json(value)}) not found in enum (possible values: {_json(kind.options)})"
    if name in ("minLength", "maxLength"):
        short = name == "minLength"
        return (
            f"string {_json(value)} is too {'short' if short else 'long'} (length: {len(value)},"
            f" {'required minimum' if short else 'maximum allowed'}: {kind.limit})"
        )
    if name == "pattern":
        return f"ECMA 262 regex {_json(kind.pattern)} does not match input string {_json(value)}"
    if name == "format":
        text = _FORMATS.get(kind.format, 'string "{0}" is not valid against format ' + str(kind.format))
        return text.format(value)
    if name == "multipleOf":
        return f"remainder of division is not zero ({_json(value)} / {_json(kind.multiple_of)})"
    return _limits(name, kind, value) or _structure(name, kind, error)


def _limits(name: str, kind: Any, value: Any) -> str | None:
    if name == "minimum":
        return (
            "numeric instance is lower than the required minimum"
            f" (minimum: {_json(kind.limit)}, found: {_json(value)})"
        )
    if name == "maximum":
        return (
            "numeric instance is greater than the required maximum"
            f" (maximum: {_json(kind.limit)}, found: {_json(value)})"
        )
    if name == "exclusiveMinimum":
        return f"numeric instance is not strictly greater than the required minimum {_json(kind.limit)}"
    if name == "exclusiveMaximum":
        return f"numeric instance is not strictly lower than the required maximum {_json(kind.limit)}"
    if name in ("minItems", "maxItems"):
        few = name == "minItems"
        return (
            f"array is too {'short' if few else 'long'}: must have at {'least' if few else 'most'} {kind.limit}"
            f" elements but instance has {len(value)} elements"
        )
    if name in ("minProperties", "maxProperties"):
        few = name == "minProperties"
        return (
            f"object has too {'few' if few else 'many'} properties (found {len(value)} but schema requires at"
            f" {'least' if few else 'most'} {kind.limit})"
        )
    return None


def _structure(name: str, kind: Any, error: Any) -> str:
    if name == "uniqueItems":
        return "array must not contain duplicate elements"
    if name == "additionalProperties":
        return (
            "object instance has properties which are not allowed by the schema:"
            f" {_json(sorted(kind.unexpected))}"
        )
    if name == "anyOf":
        return f"instance failed to match at least one required schema among {len(kind.context)}"
    if name == "oneOf":
        context = getattr(kind, "context", ())
        matched = sum(1 for branch in context if not branch)
        return f"instance failed to match exactly one schema (matched {matched} out of {len(context)})"
    if name == "not":
        return "instance matched a schema which it should not have"
    return str(error.message)
