"""The schema for editors: one draft-07 document of the whole configuration, with titles and descriptions.

It differs from what the validator applies where an editor sees the file as written: any value may be a variable
(`${…}`), a number may stand for text, one value for a list of one, and functions or resources may be a list of
objects. What the validator alone understands (messages, hints) is left out.
"""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from pileus.service.schema.validator import add_properties
from pileus.service.tree import Json

_KEPT = (
    *("type", "description", "enum", "const", "required", "minimum", "maximum", "minLength", "maxLength"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
)
_NESTED = ("properties", "patternProperties")
_VARIABLE = {"$ref": "#/definitions/variable"}
_LISTS = ("functions", "resources")


def published_schema(additions: Sequence[Mapping[str, Json]] = ()) -> dict[str, Json]:
    """The schema of serverless.yml as one document, for `$schema` lines and editors' settings. `additions` are those of
    plugins, as the Validator takes them."""
    documents = _documents()
    for name, document in documents.items():
        for addition in additions:
            add_properties(name, document, addition)
    definitions: dict[str, Json] = {
        "variable": {
            "title": "Variable",
            "description": "A value that is resolved when the file is loaded, such as ${self:custom.name}.",
            "type": "string",
            "pattern": r"\$\{",
        }
    }
    for name, schema in documents["definitions.json"].items():
        definitions[name] = _convert(schema)
    definitions["functionEvent"] = _convert(documents["function.json"]["event"])
    for file in ("function.json", "layer.json", "provider.json", "resources.json"):
        definitions[file.removesuffix(".json")] = _convert(documents[file])
    for file, schema in documents.items():
        if file.startswith("events/"):
            definitions[_name(file)] = _convert(schema)
    definitions["provider"] = {"anyOf": [definitions["provider"], {"const": "aws"}]}
    service = _convert(documents["service.json"])
    for key in _LISTS:
        whole = service["properties"][key]
        listed = {"type": "array", "items": {"anyOf": [{"type": "object"}, _VARIABLE]}}
        service["properties"][key] = {**whole, "anyOf": [*whole["anyOf"], listed]}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "serverless.yml",
        "description": "A service on AWS, in the format of version 3 of the Serverless Framework.",
        **service,
        "definitions": definitions,
    }


def _documents() -> dict[str, dict[str, Json]]:
    """Every schema file by the name that references use."""
    folder = files(__package__)
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".json")]
    found += [entry for entry in (folder / "events").iterdir() if entry.name.endswith(".json")]
    names = {entry.name for entry in folder.iterdir()}
    return {
        entry.name if entry.name in names else f"events/{entry.name}": json.loads(entry.read_text("utf-8"))
        for entry in sorted(found, key=lambda entry: entry.name)
    }


def _name(reference: str) -> str:
    """The definition that a reference between files becomes."""
    file, _, definition = reference.partition("#")
    if file == "definitions.json":
        return definition
    if definition:
        return f"{file.removesuffix('.json')}{definition[:1].upper()}{definition[1:]}"
    kind = file.removesuffix(".json").rpartition("/")
    return f"{kind[2]}Event" if kind[0] else kind[2]


def _convert(schema: Json) -> dict[str, Json]:
    """One schema in draft-07's own words."""
    if schema is True or not schema:
        return {}
    if "$ref" in schema:
        return {"$ref": f"#/definitions/{_name(schema['$ref'])}"}
    result: dict[str, Json] = {key: schema[key] for key in _KEPT if key in schema}
    for key in _NESTED:
        if key in schema:
            result[key] = {name: _property(name, inner) for name, inner in schema[key].items()}
    if "additionalProperties" in schema:
        extra = schema["additionalProperties"]
        result["additionalProperties"] = extra if isinstance(extra, bool) else _value(extra)
    if "propertyNames" in schema:
        result["propertyNames"] = _convert(schema["propertyNames"])
    if "items" in schema:
        items = schema["items"]
        result["items"] = [_value(item) for item in items] if isinstance(items, list) else _value(items)
    for key in ("anyOf", "allOf"):
        if key in schema:
            result[key] = [_convert(inner) for inner in schema[key]]
    if "not" in schema:
        result["not"] = _convert(schema["not"])
    if "pattern" in schema:
        result["pattern"] = _either_case(schema["pattern"]) if schema.get("ignoreCase") else schema["pattern"]
    if result.get("type") == "string" and not {"pattern", "minLength", "maxLength"} & result.keys():
        result["type"] = ["string", "number", "boolean"]
    return result


def _property(name: str, schema: Json) -> dict[str, Json]:
    """A named value: what an editor shows stands beside what it may be."""
    shown = {"title": name if re.fullmatch(r"[\w.:$-]+", name) else "entry"}
    if isinstance(schema, dict) and "description" in schema:
        shown["description"] = schema["description"]
        schema = {key: value for key, value in schema.items() if key != "description"}
    return {**shown, **_value(schema)}


def _value(schema: Json) -> dict[str, Json]:
    """A value as written: the value itself, one for a list of one, a variable, or nothing."""
    converted = _convert(schema)
    if not converted:
        return {}
    allowed = [converted]
    if isinstance(schema, dict) and schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        allowed.append(_convert(schema["items"]))
    return {"anyOf": [*allowed, _VARIABLE, {"type": "null"}]}


def _either_case(pattern: str) -> str:
    """A pattern whose letters match in either case: ECMAScript's patterns have no flag for that."""
    return re.sub(
        r"\\.|\[[^\]]*\]|[A-Za-z]",
        lambda found: found[0] if len(found[0]) > 1 else f"[{found[0].lower()}{found[0].upper()}]",
        pattern,
    )
