"""What of a template is emulated: asked before anything is created, and told at start-up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...kernel import STORED, NotEmulated, ResourceType
from .errors import TemplateError
from .references import references
from .template import ResourceSpec, Template

Types = Callable[[str], ResourceType | None]

CUSTOM = "AWS::CloudFormation::CustomResource"
ANY = "*"


@dataclass(frozen=True, slots=True)
class ResourceCoverage:
    """state: `emulated`, `stored` (some properties are kept without effect) or `refused`.

    stored, refused: names of properties; refused is empty where the type itself is not emulated.
    """

    logical_id: str
    type: str
    state: str
    stored: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def type_of(types: Types, name: str) -> ResourceType | None:
    """The type; `Custom::Anything` is a custom resource."""
    return types(CUSTOM if name.startswith("Custom::") else name)


def coverage(template: Template, types: Types) -> list[ResourceCoverage]:
    return [_of(spec, types) for spec in template.resources.values()]


def _of(spec: ResourceSpec, types: Types) -> ResourceCoverage:
    kind = type_of(types, spec.type)
    if kind is None:
        return ResourceCoverage(spec.logical_id, spec.type, "refused")
    open_ = ANY in kind.properties
    refused = tuple(name for name in spec.properties if name not in kind.properties and not open_)
    stored = tuple(name for name in spec.properties if kind.properties.get(name) is STORED)
    state = "refused" if refused else "stored" if stored else "emulated"
    return ResourceCoverage(spec.logical_id, spec.type, state, stored, refused)


def refuse_uncovered(template: Template, kept: Iterable[str], types: Types) -> None:
    """Raises NotEmulated with every type and property of `kept` that is not emulated, before anything is created."""
    names = set(kept)
    refused = [
        item for item in coverage(template, types) if item.logical_id in names and item.state == "refused"
    ]
    if refused:
        raise NotEmulated(
            "cloudformation "
            + "; ".join(
                f"{item.logical_id} ({item.type})"
                + (f": {', '.join(item.refused)}" if item.refused else ": the resource type")
                for item in refused
            )
        )
    _check_required(template, names, types)
    _check_attributes(template, names, types)


def _check_required(template: Template, names: set[str], types: Types) -> None:
    for name in template.resources.keys() & names:
        spec = template.resources[name]
        kind = type_of(types, spec.type)
        for member in kind.required if kind else ():
            if member not in spec.properties:
                raise TemplateError(
                    f"Properties validation failed for resource {name} with message:"
                    f" [#: required key [{member}] not found]"
                )


def _check_attributes(template: Template, names: set[str], types: Types) -> None:
    for name in names:
        for reference in references(dict(template.resources[name].properties)):
            target = template.resources.get(reference.name)
            if target is not None and reference.attribute:
                _check_attribute(target, reference.attribute, types)
    for output in template.outputs.values():
        for reference in references(output.value):
            target = template.resources.get(reference.name)
            if target is not None and reference.attribute and reference.name in names:
                _check_attribute(target, reference.attribute, types)


def _check_attribute(target: ResourceSpec, attribute: str, types: Types) -> None:
    kind = type_of(types, target.type)
    if kind is None:
        return
    for known in kind.attributes:
        if known == attribute or (known.endswith(ANY) and attribute.startswith(known[:-1])):
            return
    raise TemplateError(
        f"Template error: resource {target.logical_id} does not support attribute type {attribute} in Fn::GetAtt"
    )
