"""What a template comes to for a stack, and how one differs from another, before anything happens. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...kernel import Change, ResourceType
from .coverage import ANY, Types, type_of
from .intrinsics import NO_VALUE, Evaluator, Planned
from .parameters import ParameterSpec
from .references import dependencies, in_order, references
from .template import Template

IAM_TYPES = {
    "AWS::IAM::AccessKey": None,
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::RolePolicy": None,
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserPolicy": None,
    "AWS::IAM::UserToGroupAddition": None,
}


@dataclass(frozen=True, slots=True)
class Place:
    account: str
    region: str
    stack_name: str
    stack_id: str


def pseudo_parameters(place: Place) -> dict[str, Any]:
    return {
        "AWS::AccountId": place.account,
        "AWS::NotificationARNs": [],
        "AWS::Partition": "aws",
        "AWS::Region": place.region,
        "AWS::StackId": place.stack_id,
        "AWS::StackName": place.stack_name,
        "AWS::URLSuffix": "amazonaws.com",
    }


def parameter_values(
    specs: Mapping[str, ParameterSpec], detail: Mapping[str, Any], place: Place
) -> dict[str, Any]:
    """What `Ref` of each parameter gives. detail: a stack's (parameters, resolved)."""
    resolved = detail.get("resolved") or {}
    values = {
        name: specs[name].as_value(resolved.get(name, value))
        for name, value in detail["parameters"].items()
        if name in specs
    }
    return pseudo_parameters(place) | values


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A template's resources in the order of work, evaluated as far as that is possible beforehand."""

    order: tuple[str, ...]
    requires: Mapping[str, tuple[str, ...]]
    types: Mapping[str, str]
    properties: Mapping[str, Mapping[str, Any]]
    metadata: Mapping[str, Any]
    outputs: Mapping[str, Any]
    imports: frozenset[str]


def blueprint(template: Template, parameters: Mapping[str, Any]) -> Blueprint:
    """Raises TemplateError for circles, for what the conditions leave out, and for functions that cannot be."""
    scope = Planned()
    evaluator = Evaluator(template, parameters, scope)
    graph = dependencies(template, evaluator.condition)
    order = in_order(graph)
    outputs = {}
    for key, output in template.outputs.items():
        if output.condition is None or evaluator.condition(output.condition):
            export = None if output.export is None else evaluator.value(output.export)
            outputs[key] = [evaluator.value(output.value), output.description, export]
    return Blueprint(
        tuple(order),
        graph,
        {name: template.resources[name].type for name in order},
        {name: evaluator.value(dict(template.resources[name].properties)) for name in order},
        {name: template.resources[name].metadata for name in order},
        outputs,
        frozenset(scope.imports),
    )


def required_capabilities(template: Template, kept: Iterable[str]) -> tuple[str | None, list[str]]:
    """`CAPABILITY_IAM`, `CAPABILITY_NAMED_IAM` or None, and the types that ask for it."""
    found: dict[str, None] = {}
    named = False
    for name in kept:
        spec = template.resources[name]
        if spec.type in IAM_TYPES:
            found[spec.type] = None
            member = IAM_TYPES[spec.type]
            named = named or (member is not None and member in spec.properties)
    if not found:
        return None, []
    return ("CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"), list(found)


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One line of a change set. action: Add, Modify or Remove. replacement: True, False, Conditional or None."""

    action: str
    logical_id: str
    type: str
    physical_id: str | None = None
    replacement: str | None = None
    scope: tuple[str, ...] = ()
    details: list[dict[str, Any]] = field(default_factory=list)


def change_of(kind: ResourceType, name: str) -> Change:
    return kind.properties.get(name) or kind.properties.get(ANY) or Change.UPDATE


def changes(
    old: Blueprint | None,
    new: Blueprint,
    template: Template,
    physical_ids: Mapping[str, str | None],
    types: Types,
    *,
    tags_changed: bool = False,
) -> list[ResourceChange]:
    """What an update would do, in the order in which it would do it."""
    found: list[ResourceChange] = []
    replaced: set[str] = set()
    for name in new.order:
        if old is None or name not in old.types:
            found.append(ResourceChange("Add", name, new.types[name]))
            continue
        change = _modified(old, new, name, template, physical_ids.get(name), types, replaced, tags_changed)
        if change is not None:
            found.append(change)
            if change.replacement == "True":
                replaced.add(name)
    for name in reversed(old.order if old else ()):
        if name not in new.types and old is not None:
            found.append(ResourceChange("Remove", name, old.types[name], physical_ids.get(name)))
    return found


def _modified(
    old: Blueprint,
    new: Blueprint,
    name: str,
    template: Template,
    physical_id: str | None,
    types: Types,
    replaced: set[str],
    tags_changed: bool,
) -> ResourceChange | None:
    kind = type_of(types, new.types[name])
    if old.types[name] != new.types[name] or kind is None:
        return ResourceChange("Modify", name, new.types[name], physical_id, "True", ("Properties",))
    before, after = old.properties[name], new.properties[name]
    changed = [
        member
        for member in dict.fromkeys((*before, *after))
        if before.get(member, NO_VALUE) != after.get(member, NO_VALUE)
    ]
    details = [_detail(kind, member, "Static", "DirectModification") for member in changed]
    for member, node in template.resources[name].properties.items():
        if member not in changed and any(item.name in replaced for item in references(node)):
            details.append(_detail(kind, member, "Dynamic", "ResourceReference"))
    scope = ["Properties"] if details else []
    if tags_changed and "Tags" in kind.properties:
        scope.append("Tags")
        details.append(
            {"Target": {"Attribute": "Tags", "RequiresRecreation": "Never"}, "Evaluation": "Static"}
        )
    if old.metadata[name] != new.metadata[name]:
        scope.append("Metadata")
        details.append(
            {"Target": {"Attribute": "Metadata", "RequiresRecreation": "Never"}, "Evaluation": "Static"}
        )
    if not details:
        return None
    recreated = [item["Evaluation"] for item in details if item["Target"]["RequiresRecreation"] == "Always"]
    replacement = "True" if "Static" in recreated else "Conditional" if recreated else "False"
    return ResourceChange("Modify", name, new.types[name], physical_id, replacement, tuple(scope), details)


def _detail(kind: ResourceType, member: str, evaluation: str, source: str) -> dict[str, Any]:
    recreation = "Always" if change_of(kind, member) is Change.REPLACE else "Never"
    target = {"Attribute": "Properties", "Name": member, "RequiresRecreation": recreation}
    return {"Target": target, "Evaluation": evaluation, "ChangeSource": source}
