"""Which parts of a template ask for which: names that do not exist, circles, and the order of work. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ...kernel import NotEmulated
from .errors import TemplateError
from .intrinsics import get_att, if_parts, sub_names, sub_parts
from .template import Template

PSEUDO = frozenset(
    {
        "AWS::AccountId",
        "AWS::NoValue",
        "AWS::NotificationARNs",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    }
)
_UNSUPPORTED = frozenset({"Fn::Transform", "Fn::ForEach"})


class Reference(NamedTuple):
    """attribute: of a Fn::GetAtt where it is known, None for a Ref."""

    name: str
    attribute: str | None = None
    is_condition: bool = False


def references(node: Any, chosen: Callable[[str], bool] | None = None) -> Iterator[Reference]:
    """What a value asks for. With `chosen`, only the branch of each Fn::If that its condition takes."""
    if isinstance(node, list):
        for child in node:
            yield from references(child, chosen)
        return
    if not isinstance(node, dict):
        return
    if len(node) == 1:
        ((name, argument),) = node.items()
        if name in _UNSUPPORTED:
            raise NotEmulated(f"cloudformation {name}")
        if name == "Ref":
            if isinstance(argument, str):
                yield Reference(argument)
            return
        if name == "Fn::GetAtt":
            logical_id, attribute = get_att(argument)
            yield Reference(logical_id, attribute if isinstance(attribute, str) else "")
            return
        if name == "Fn::Sub":
            yield from _in_sub(argument, chosen)
            return
        if name == "Fn::If":
            condition, yes, no = if_parts(argument)
            yield Reference(condition, is_condition=True)
            if chosen is None:
                yield from references([yes, no])
            else:
                yield from references(yes if chosen(condition) else no, chosen)
            return
    for child in node.values():
        yield from references(child, chosen)


def _in_sub(argument: Any, chosen: Callable[[str], bool] | None) -> Iterator[Reference]:
    template, values = sub_parts(argument)
    for name in sub_names(template):
        if name in values:
            continue
        head, dot, tail = name.partition(".")
        yield Reference(head, tail) if dot else Reference(name)
    yield from references(dict(values), chosen)


def check_names(template: Template) -> None:
    """Raises TemplateError for names that nothing in the template bears, in CloudFormation's words."""
    known = PSEUDO | template.parameters.keys() | template.resources.keys()
    _check_conditions(template)
    missing: dict[str, None] = {}
    for spec in template.resources.values():
        if spec.condition is not None:
            _check_condition(template, spec.condition, "Resources")
        for reference in references(dict(spec.properties)):
            if reference.is_condition:
                _check_condition(template, reference.name, "Resources")
            elif reference.attribute is not None and reference.name not in template.resources:
                raise TemplateError(
                    f"Template error: instance of Fn::GetAtt references undefined resource {reference.name}"
                )
            elif reference.name not in known:
                missing[reference.name] = None
        missing.update((name, None) for name in spec.depends_on if name not in template.resources)
    _refuse_missing(missing, "Resources")
    for output in template.outputs.values():
        if output.condition is not None:
            _check_condition(template, output.condition, "Outputs")
        for reference in references([output.value, output.export]):
            if reference.is_condition:
                _check_condition(template, reference.name, "Outputs")
            elif reference.name not in known:
                missing[reference.name] = None
    _refuse_missing(missing, "Outputs")


def _refuse_missing(missing: Mapping[str, None], block: str) -> None:
    if missing:
        raise TemplateError(
            f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the {block} block"
            " of the template"
        )


def _check_condition(template: Template, name: str, block: str) -> None:
    if not isinstance(name, str):
        raise TemplateError("Template format error: Every Condition member must be a string.")
    if name not in template.conditions:
        raise TemplateError(
            f"Template format error: Unresolved condition dependency {name} in the {block} block of the template"
        )


def _check_conditions(template: Template) -> None:
    known = PSEUDO | template.parameters.keys()
    for name, node in template.conditions.items():
        unknown = [item.name for item in references(node) if not item.is_condition and item.name not in known]
        if unknown:
            raise TemplateError(
                f"Template format error: Unresolved dependencies [{', '.join(dict.fromkeys(unknown))}]. Cannot"
                " reference resources in the Conditions block of the template"
            )
        _refuse_circle(template, name, ())


def _refuse_circle(template: Template, name: str, above: tuple[str, ...]) -> None:
    if name in above:
        raise TemplateError(f"Template error: Circular dependency between conditions: [{', '.join(above)}]")
    _check_condition(template, name, "Conditions")
    for other in _conditions_in(template.conditions[name]):
        _refuse_circle(template, other, (*above, name))


def _conditions_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if len(node) == 1 and isinstance(node.get("Condition"), str):
            yield node["Condition"]
        for child in node.values():
            yield from _conditions_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from _conditions_in(child)


def dependencies(template: Template, condition: Callable[[str], bool]) -> dict[str, tuple[str, ...]]:
    """Each resource that the conditions keep, with the resources that must come before it.

    Raises TemplateError where one is needed that the conditions leave out.
    """
    kept = [
        name
        for name, spec in template.resources.items()
        if spec.condition is None or condition(spec.condition)
    ]
    present = set(kept)
    graph: dict[str, tuple[str, ...]] = {}
    missing: dict[str, None] = {}
    for name in kept:
        spec = template.resources[name]
        needed: dict[str, None] = {}
        for reference in references(dict(spec.properties), condition):
            if reference.is_condition or reference.name not in template.resources:
                continue
            (needed if reference.name in present else missing)[reference.name] = None
        # a DependsOn of something that the conditions leave out is no obstacle
        needed.update((other, None) for other in spec.depends_on if other in present)
        graph[name] = tuple(needed)
    _refuse_missing(missing, "Resources")
    for output in template.outputs.values():
        if output.condition is None or condition(output.condition):
            for reference in references([output.value, output.export], condition):
                if reference.name in template.resources and reference.name not in present:
                    missing[reference.name] = None
    _refuse_missing(missing, "Outputs")
    return graph


def in_order(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """What is needed before what needs it; else as in the template. Raises TemplateError for a circle."""
    rank = {name: number for number, name in enumerate(graph)}
    waits = {name: {other for other in needed if other in rank} for name, needed in graph.items()}
    needed_by: dict[str, list[str]] = {name: [] for name in graph}
    for name, needed in waits.items():
        for other in needed:
            needed_by[other].append(name)
    ready = [rank[name] for name, needed in waits.items() if not needed]
    names = list(graph)
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for follower in needed_by[name]:
            waits[follower].discard(name)
            if not waits[follower]:
                heapq.heappush(ready, rank[follower])
    if len(order) < len(graph):
        raise TemplateError(f"Circular dependency between resources: [{', '.join(_circle(waits, order))}]")
    return order


def _circle(waits: Mapping[str, set[str]], done: list[str]) -> list[str]:
    """The resources that go round, without those that only wait for them."""
    left = {name: set(needed) for name, needed in waits.items() if name not in set(done)}
    while True:
        needed = set().union(*left.values()) if left else set()
        idle = [name for name in left if name not in needed]
        if not idle:
            return list(left)
        for name in idle:
            del left[name]
