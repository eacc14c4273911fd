"""The parameters of before there were expressions: Expected, AttributeUpdates, KeyConditions, filters.

They become the same trees and steps as expressions do, with the values in place as literals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pileus.cloud.kernel import NotEmulated

from .binding import UpdateProgram
from .errors import ValidationException
from .expressions.condition import Test
from .expressions.keys import KeyTest
from .expressions.projection import Project, compile_projection
from .expressions.tree import Path


def check_mix(request: Mapping[str, Any], legacy: tuple[str, ...], modern: tuple[str, ...]) -> None:
    """Refuses requests that use both kinds of parameters."""
    old = [name for name in legacy if request.get(name) is not None]
    if not old:
        return
    new = [name for name in modern if request.get(name) is not None]
    if new:
        raise ValidationException(
            "Can not use both expression and non-expression parameters in the same request:"
            f" Non-expression parameters: {{{', '.join(old)}}} Expression parameters: {{{', '.join(new)}}}"
        )


def expected(request: Mapping[str, Any]) -> Test | None:
    if request.get("Expected") is not None or request.get("ConditionalOperator") is not None:
        raise NotEmulated("dynamodb legacy parameter Expected")
    return None


def updates(request: Mapping[str, Any]) -> UpdateProgram | None:
    if request.get("AttributeUpdates") is not None:
        raise NotEmulated("dynamodb legacy parameter AttributeUpdates")
    return None


def attributes_to_get(request: Mapping[str, Any]) -> tuple[Project, frozenset[str]] | None:
    names = request.get("AttributesToGet")
    if names is None:
        return None
    if len(set(names)) != len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValidationException(
            f"One or more parameter values were invalid: Duplicate value in attribute name: {repeated}"
        )
    return compile_projection([Path((name,)) for name in names]), frozenset(names)


def key_conditions(request: Mapping[str, Any]) -> dict[str, KeyTest] | None:
    if request.get("KeyConditions") is not None:
        raise NotEmulated("dynamodb Query.KeyConditions")
    return None


def filters(request: Mapping[str, Any], member: str) -> tuple[Test, frozenset[str]] | None:
    if request.get(member) is not None:
        raise NotEmulated(f"dynamodb legacy parameter {member}")
    return None
