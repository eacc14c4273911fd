"""Parameters of a template: what is declared, and the values that a stack runs with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...kernel import NotEmulated, ValidationError
from .errors import TemplateError

SSM_NAME = "AWS::SSM::Parameter::Name"
_SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(String|List<String>|CommaDelimitedList)>")
_TYPES = frozenset({"String", "Number", "List<Number>", "List<String>", "CommaDelimitedList", SSM_NAME})
_FIELDS = frozenset(
    {
        "Type",
        "Default",
        "AllowedValues",
        "AllowedPattern",
        "MinLength",
        "MaxLength",
        "MinValue",
        "MaxValue",
        "NoEcho",
        "Description",
        "ConstraintDescription",
    }
)


def text(value: Any) -> str:
    """A scalar as CloudFormation writes it into strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """default: as text, None where there is none. limits: MinLength, MaxLength, MinValue, MaxValue."""

    name: str
    type: str = "String"
    default: str | None = None
    allowed_values: tuple[str, ...] = ()
    allowed_pattern: str | None = None
    limits: Mapping[str, float] | None = None
    no_echo: bool = False
    description: str | None = None
    constraint: str | None = None

    @property
    def is_ssm_value(self) -> bool:
        return self.type.startswith("AWS::SSM::Parameter::Value<")

    def as_value(self, value: str) -> str | list[str]:
        """What `Ref` gives."""
        if "List<" in self.type or "CommaDelimitedList" in self.type:
            return [item.strip() for item in value.split(",")] if value else []
        return value

    def check(self, value: str) -> None:
        """Raises ValidationError in CloudFormation's words."""
        complaint = self._complaint(value)
        if complaint is None:
            return
        if self.constraint and complaint.startswith(f"Parameter '{self.name}' must"):
            raise ValidationError(f"Parameter {self.name} failed to satisfy constraint: {self.constraint}")
        raise ValidationError(complaint)

    def _complaint(self, value: str) -> str | None:
        who = f"Parameter '{self.name}' must"
        values = value.split(",") if self.type in ("CommaDelimitedList", "List<Number>") else [value]
        if self.type in ("Number", "List<Number>"):
            for item in values:
                if not re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", item):
                    return f"{who} be a number"
        if self.allowed_values and any(item.strip() not in self.allowed_values for item in values):
            return f"{who} be one of AllowedValues"
        if self.allowed_pattern and not re.fullmatch(self.allowed_pattern, value):
            return f"{who} match pattern {self.allowed_pattern}"
        limits = self.limits or {}
        if len(value) < limits.get("MinLength", 0):
            return f"{who} contain at least {limits['MinLength']:.0f} characters"
        if "MaxLength" in limits and len(value) > limits["MaxLength"]:
            return f"{who} contain at most {limits['MaxLength']:.0f} characters"
        if self.type == "Number":
            if "MinValue" in limits and float(value) < limits["MinValue"]:
                return f"{who} be a number not less than {text(limits['MinValue'])}"
            if "MaxValue" in limits and float(value) > limits["MaxValue"]:
                return f"{who} be a number not greater than {text(limits['MaxValue'])}"
        return None


def parameter_specs(section: Mapping[str, Any]) -> dict[str, ParameterSpec]:
    return {name: _spec(name, value) for name, value in section.items()}


def _spec(name: str, value: Any) -> ParameterSpec:
    if not re.fullmatch(r"[A-Za-z0-9]+", name):
        raise TemplateError(f"Template format error: Parameter name {name} is non alphanumeric.")
    if not isinstance(value, dict):
        raise TemplateError("Template format error: Every Parameters object must contain a Type member.")
    for field in value:
        if field not in _FIELDS:
            raise TemplateError(f"Invalid template parameter property '{field}'")
    kind = value.get("Type")
    if not isinstance(kind, str):
        raise TemplateError("Template format error: Every Parameters object must contain a Type member.")
    if kind not in _TYPES and not _SSM_VALUE.fullmatch(kind):
        if kind.startswith(("AWS::", "List<AWS::")):
            raise NotEmulated(f"cloudformation the parameter type {kind} (parameter {name})")
        raise TemplateError(f"Template format error: Unrecognized parameter type: {kind}")
    default = value.get("Default")
    if isinstance(default, (dict, list)):
        raise TemplateError("Template format error: Every Default member must be a string.")
    limits = {
        field: float(value[field])
        for field in ("MinLength", "MaxLength", "MinValue", "MaxValue")
        if field in value
    }
    return ParameterSpec(
        name,
        kind,
        None if default is None else text(default),
        tuple(text(item) for item in value.get("AllowedValues") or ()),
        value.get("AllowedPattern"),
        limits,
        value.get("NoEcho") in (True, "true", "True"),
        value.get("Description"),
        value.get("ConstraintDescription"),
    )


def given_values(
    specs: Mapping[str, ParameterSpec],
    given: Iterable[Mapping[str, Any]],
    previous: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The stack's parameter values, as they are given or defaulted. Raises ValidationError.

    given: the request's `Parameters`. previous: the values that the stack has, for `UsePreviousValue`.
    """
    values: dict[str, str] = {}
    unknown: list[str] = []
    for item in given:
        key = item.get("ParameterKey", "")
        if key not in specs:
            unknown.append(key)
        elif item.get("UsePreviousValue"):
            if previous is None or key not in previous:
                raise ValidationError(
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a"
                    " parameter key not in the previous template"
                )
            values[key] = previous[key]
        elif item.get("ParameterValue") is not None:
            values[key] = item["ParameterValue"]
    if unknown:
        raise ValidationError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, spec in specs.items() if name not in values and spec.default is None]
    if missing:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    effective = {name: values.get(name, spec.default or "") for name, spec in specs.items()}
    for name, spec in specs.items():
        spec.check(effective[name])
    return effective
