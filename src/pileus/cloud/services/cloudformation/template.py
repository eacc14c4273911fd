"""A template: its sections as values, checked for structure when it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...kernel import NotEmulated
from .bodies import parse_body
from .errors import TemplateError
from .parameters import ParameterSpec, parameter_specs

_SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
        "Transform",
        "Hooks",
    }
)
_RESOURCE_FIELDS = frozenset(
    {
        "Type",
        "Properties",
        "DependsOn",
        "Condition",
        "Metadata",
        "DeletionPolicy",
        "UpdateReplacePolicy",
        "CreationPolicy",
        "UpdatePolicy",
        "Description",
        "Version",
    }
)
_POLICIES = {
    "DeletionPolicy": ("Delete", "Retain", "Snapshot", "RetainExceptOnCreate"),
    "UpdateReplacePolicy": ("Delete", "Retain", "Snapshot"),
}
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
_MOST_RESOURCES, _MOST_OUTPUTS = 500, 200


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    logical_id: str
    type: str
    properties: Mapping[str, Any]
    condition: str | None = None
    depends_on: tuple[str, ...] = ()
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    metadata: Mapping[str, Any] | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class OutputSpec:
    key: str
    value: Any
    description: str | None = None
    condition: str | None = None
    export: Any = None


@dataclass(frozen=True, slots=True)
class Template:
    body: str
    resources: Mapping[str, ResourceSpec]
    description: str | None = None
    parameters: Mapping[str, ParameterSpec] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, OutputSpec] = field(default_factory=dict)
    metadata: Any = None
    transforms: tuple[str, ...] = ()
    version: str | None = None


def read_template(body: str) -> Template:
    """Raises TemplateError in CloudFormation's words, NotEmulated for sections that are not done."""
    document = parse_body(body)
    unknown = [name for name in document if name not in _SECTIONS]
    if unknown:
        raise TemplateError(f"Invalid template property or properties [{', '.join(unknown)}]")
    version = document.get("AWSTemplateFormatVersion")
    if version is not None and version != "2010-09-09":
        raise TemplateError(
            f'Template format error: unsupported value for AWSTemplateFormatVersion: "{version}".'
        )
    for section in ("Rules", "Hooks"):
        if document.get(section):
            raise NotEmulated(f"cloudformation the template section {section}")
    description = document.get("Description")
    if description is not None and not isinstance(description, str):
        raise TemplateError("Template format error: every Description member must be a string.")
    return Template(
        body,
        _resources(_section(document, "Resources")),
        description,
        parameter_specs(_section(document, "Parameters")),
        _mappings(_section(document, "Mappings")),
        _section(document, "Conditions"),
        _outputs(_section(document, "Outputs")),
        document.get("Metadata"),
        _transforms(document.get("Transform")),
        version,
    )


def _section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise TemplateError(f"Template format error: {name} block must be an object.")
    return section


def _transforms(declared: Any) -> tuple[str, ...]:
    names = declared if isinstance(declared, list) else [declared] if declared else []
    for name in names:
        if name != LANGUAGE_EXTENSIONS:
            shown = name if isinstance(name, str) else (name or {}).get("Name")
            raise NotEmulated(f"cloudformation the transform {shown}")
    return tuple(names)


def _resources(section: Mapping[str, Any]) -> dict[str, ResourceSpec]:
    if not section:
        raise TemplateError("Template format error: At least one Resources member must be defined.")
    if len(section) > _MOST_RESOURCES:
        raise TemplateError(
            f"Template format error: Number of resources, {len(section)}, is greater than maximum allowed,"
            f" {_MOST_RESOURCES}"
        )
    return {name: _resource(name, value) for name, value in section.items()}


def _resource(name: str, value: Any) -> ResourceSpec:
    if not re.fullmatch(r"[A-Za-z0-9]{1,255}", name):
        if name.startswith("Fn::ForEach"):
            raise NotEmulated("cloudformation Fn::ForEach")
        raise TemplateError(f"Template format error: Resource name {name} is non alphanumeric.")
    if not isinstance(value, dict):
        raise TemplateError(f"Template format error: [/Resources/{name}] resource definition is malformed")
    for field_ in value:
        if field_ not in _RESOURCE_FIELDS:
            raise TemplateError(f"Invalid template resource property '{field_}'")
    kind = value.get("Type")
    if not isinstance(kind, str):
        raise TemplateError(
            f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
        )
    for field_ in ("CreationPolicy", "UpdatePolicy"):
        if value.get(field_):
            raise NotEmulated(f"cloudformation {field_} of the resource {name} ({kind})")
    properties = value.get("Properties") or {}
    if not isinstance(properties, dict):
        raise TemplateError(f"Template format error: [/Resources/{name}/Properties] must be an object.")
    depends = value.get("DependsOn") or []
    depends_on = [depends] if isinstance(depends, str) else depends
    if not isinstance(depends_on, list) or not all(isinstance(item, str) for item in depends_on):
        raise TemplateError(
            f"Template format error: DependsOn of resource {name} must be a string or a list."
        )
    return ResourceSpec(
        name,
        kind,
        properties,
        value.get("Condition"),
        tuple(depends_on),
        _policy(name, kind, value, "DeletionPolicy"),
        _policy(name, kind, value, "UpdateReplacePolicy"),
        value.get("Metadata"),
        value.get("Description"),
    )


def _policy(name: str, kind: str, value: Mapping[str, Any], field_: str) -> str:
    policy = value.get(field_, "Delete")
    if policy not in _POLICIES[field_]:
        raise TemplateError(f"Template format error: Unrecognized {field_} {policy} for resource {name}")
    if policy == "Snapshot":
        # none of the types here takes snapshots: volumes, clusters and database instances do
        raise TemplateError(f"Template error: resource type {kind} does not support deletion policy Snapshot")
    return str(policy)


def _mappings(section: Mapping[str, Any]) -> Mapping[str, Any]:
    for name, keys in section.items():
        if not isinstance(keys, dict) or not all(isinstance(values, dict) for values in keys.values()):
            raise TemplateError(
                f"Template format error: Every Mappings attribute must be a String or a List. ({name})"
            )
    return section


def _outputs(section: Mapping[str, Any]) -> dict[str, OutputSpec]:
    if len(section) > _MOST_OUTPUTS:
        raise TemplateError(
            f"Template format error: Number of outputs, {len(section)}, is greater than maximum allowed,"
            f" {_MOST_OUTPUTS}"
        )
    outputs: dict[str, OutputSpec] = {}
    for name, value in section.items():
        if not re.fullmatch(r"[A-Za-z0-9]+", name):
            raise TemplateError(f"Template format error: Output name {name} is non alphanumeric.")
        if not isinstance(value, dict) or "Value" not in value:
            raise TemplateError(f"Template format error: Output {name} is malformed. The Value is missing.")
        for field_ in value:
            if field_ not in ("Value", "Description", "Condition", "Export"):
                raise TemplateError(f"Invalid template output property '{field_}'")
        export = value.get("Export")
        if export is not None and (not isinstance(export, dict) or set(export) != {"Name"}):
            raise TemplateError(f"Template format error: Output {name} has a malformed Export.")
        outputs[name] = OutputSpec(
            name,
            value["Value"],
            value.get("Description"),
            value.get("Condition"),
            export and export["Name"],
        )
    return outputs
