"""The intrinsic functions: a template's values with everything filled in.

The same evaluation serves two ends. A run resolves against real resources; a plan resolves against `Unknown` text that
stands for what is not known before a resource exists, so that two templates can be compared before anything happens.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import orjson

from .errors import TemplateError
from .parameters import text
from .template import LANGUAGE_EXTENSIONS, Template

_SUB: Final = re.compile(r"\$\{([^}]*)\}")
_CONDITION_FUNCTIONS: Final = frozenset({"Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Condition"})


class _NoValue:
    def __repr__(self) -> str:
        return "AWS::NoValue"


NO_VALUE: Final = _NoValue()


class Unknown(str):
    """Text for a value that only a run can know. Equal where the template asks for the same thing."""

    __slots__ = ()


class Scope(Protocol):
    """What names stand for, beside parameters."""

    def resource(self, logical_id: str) -> str:
        """`Ref` of a resource."""
        ...

    def attribute(self, logical_id: str, name: str) -> Any: ...

    def imported(self, name: str) -> str: ...


class Planned:
    """A scope in which nothing exists yet. imports: the exports that were asked for."""

    def __init__(self) -> None:
        self.imports: set[str] = set()

    def resource(self, logical_id: str) -> str:
        return Unknown(f"<Ref {logical_id}>")

    def attribute(self, logical_id: str, name: str) -> Any:
        return Unknown(f"<GetAtt {logical_id}.{name}>")

    def imported(self, name: str) -> str:
        self.imports.add(name)
        return Unknown(f"<ImportValue {name}>")


class Evaluator:
    """template: its mappings and conditions apply. parameters: what `Ref` of each gives, pseudo parameters included."""

    def __init__(self, template: Template, parameters: Mapping[str, Any], scope: Scope) -> None:
        self.template = template
        self.parameters = parameters
        self.scope = scope
        self._conditions: dict[str, bool] = {}
        self._extended = LANGUAGE_EXTENSIONS in template.transforms

    # -- values -----------------------------------------------------------------------------------------------------

    def value(self, node: Any) -> Any:
        """The node with its functions resolved; members that come to AWS::NoValue are left out."""
        if isinstance(node, dict):
            if len(node) == 1:
                ((name, argument),) = node.items()
                function = _FUNCTIONS.get(name)
                if function is not None:
                    return function(self, argument)
                if name.startswith("Fn::"):
                    raise TemplateError(
                        f"Template error: the function {name} is not one of CloudFormation's, or needs a transform"
                    )
            return {
                key: value
                for key, child in node.items()
                if (value := child if isinstance(child, str) else self.value(child)) is not NO_VALUE
            }
        if isinstance(node, list):
            return [value for child in node if (value := self.value(child)) is not NO_VALUE]
        return node

    def text_of(self, node: Any, complaint: str) -> str:
        value = self.value(node)
        if isinstance(value, (dict, list)) or value is NO_VALUE or value is None:
            raise TemplateError(complaint)
        return value if isinstance(value, str) else text(value)

    def _ref(self, name: Any) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.parameters:
            return self.parameters[name]
        return self.scope.resource(name)

    def _get_att(self, argument: Any) -> Any:
        logical_id, attribute = get_att(argument)
        return self.scope.attribute(logical_id, self.text_of(attribute, _GET_ATT))

    def _sub(self, argument: Any) -> Any:
        template, names = sub_parts(argument)
        values = {name: self.text_of(node, _SUB_WORDS) for name, node in names.items()}

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            name = name.strip()
            if name in values:
                return values[name]
            if name not in self.parameters and "." in name:
                value = self.scope.attribute(*name.split(".", 1))
            else:
                value = self._ref(name)
            if isinstance(value, (dict, list)):
                raise TemplateError(_SUB_WORDS)
            return value if isinstance(value, str) else text(value)

        return _SUB.sub(fill, template)

    def _join(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
            raise TemplateError(_JOIN)
        parts = self.value(argument[1])
        if isinstance(parts, Unknown):
            return Unknown(f"<Join {argument[0]} {parts}>")
        if not isinstance(parts, list) or any(isinstance(part, (dict, list)) for part in parts):
            raise TemplateError(_JOIN)
        return argument[0].join(part if isinstance(part, str) else text(part) for part in parts)

    def _select(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) != 2:
            raise TemplateError(_SELECT)
        index_text = self.text_of(argument[0], _SELECT)
        items = self.value(argument[1])
        if isinstance(items, Unknown):
            return Unknown(f"<Select {index_text} {items}>")
        if not isinstance(items, list) or not re.fullmatch(r"-?\d+", index_text):
            raise TemplateError(_SELECT)
        index = int(index_text)
        if not 0 <= index < len(items):
            raise TemplateError(
                f"Template error: Fn::Select cannot select nonexistent value at index {index}"
            )
        return items[index]

    def _split(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
            raise TemplateError(_SPLIT)
        whole = self.value(argument[1])
        if isinstance(whole, Unknown):
            return Unknown(f"<Split {argument[0]} {whole}>")
        if not isinstance(whole, str) or not argument[0]:
            raise TemplateError(_SPLIT)
        return whole.split(argument[0])

    def _find_in_map(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) not in (3, 4):
            raise TemplateError(_FIND_IN_MAP)
        name, key, attribute = (self.text_of(part, _FIND_IN_MAP) for part in argument[:3])
        mapping = self.template.mappings.get(name)
        found = None if mapping is None else (mapping.get(key) or {}).get(attribute)
        if found is not None:
            return found
        if len(argument) == 4 and self._extended and isinstance(argument[3], dict):
            return self.value(argument[3].get("DefaultValue"))
        if mapping is None:
            raise TemplateError(
                f"Template error: Mapping named '{name}' is not present in the 'Mappings' section of template."
            )
        raise TemplateError(f"Template error: Unable to get mapping for {name}::{key}::{attribute}")

    def _if(self, argument: Any) -> Any:
        name, yes, no = if_parts(argument)
        return self.value(yes if self.condition(name) else no)

    def _base64(self, argument: Any) -> Any:
        value = self.text_of(argument, _BASE64)
        return base64.b64encode(value.encode()).decode()

    def _get_azs(self, argument: Any) -> list[str]:
        region = self.text_of(argument, _GET_AZS) or self.parameters["AWS::Region"]
        return [f"{region}{letter}" for letter in "abc"]

    def _cidr(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) not in (2, 3):
            raise TemplateError(_CIDR)
        parts = [self.text_of(part, _CIDR) for part in argument]
        try:
            block = ipaddress.ip_network(parts[0])
            count = int(parts[1])
            bits = int(parts[2]) if len(parts) == 3 else block.max_prefixlen // 4
            subnets = block.subnets(new_prefix=block.max_prefixlen - bits)
            found = [str(subnet) for _, subnet in zip(range(count), subnets, strict=False)]
        except ValueError:
            raise TemplateError(_CIDR) from None
        if len(found) < count or not 1 <= count <= 256:
            raise TemplateError(_CIDR)
        return found

    def _import_value(self, argument: Any) -> str:
        return self.scope.imported(self.text_of(argument, _IMPORT))

    def _to_json_string(self, argument: Any) -> str:
        self._needs_extension("Fn::ToJsonString")
        return orjson.dumps(self.value(argument)).decode()

    def _length(self, argument: Any) -> int:
        self._needs_extension("Fn::Length")
        value = self.value(argument)
        if not isinstance(value, list):
            raise TemplateError("Template error: Fn::Length must be given a list.")
        return len(value)

    def _needs_extension(self, name: str) -> None:
        if not self._extended:
            raise TemplateError(
                f"Template error: {name} needs the transform {LANGUAGE_EXTENSIONS} in the template"
            )

    def _as_condition(self, name: str) -> Callable[[Any], str]:
        return lambda argument: text(self._holds({name: argument}))

    # -- conditions -------------------------------------------------------------------------------------------------

    def condition(self, name: str) -> bool:
        known = self._conditions.get(name)
        if known is None:
            if name not in self.template.conditions:
                raise TemplateError(
                    f"Template format error: Unresolved condition dependency {name} in the Resources block of the"
                    " template"
                )
            known = self._conditions[name] = self._holds(self.template.conditions[name])
        return known

    def _holds(self, node: Any) -> bool:
        if isinstance(node, bool) or node in ("true", "false"):
            return node in (True, "true")
        if not isinstance(node, dict) or len(node) != 1:
            raise TemplateError("Template format error: Every Condition member must be a string.")
        ((name, argument),) = node.items()
        if name == "Condition":
            return self.condition(argument)
        if name == "Fn::Equals":
            if not isinstance(argument, list) or len(argument) != 2:
                raise TemplateError(_EQUALS)
            left, right = (self.value(part) for part in argument)
            return bool(_comparable(left) == _comparable(right))
        if name == "Fn::Not":
            if not isinstance(argument, list) or len(argument) != 1:
                raise TemplateError(_NOT)
            return not self._holds(argument[0])
        if name in ("Fn::And", "Fn::Or"):
            if not isinstance(argument, list) or not 2 <= len(argument) <= 10:
                raise TemplateError(_AND_OR.format(name))
            holds = [self._holds(part) for part in argument]
            return all(holds) if name == "Fn::And" else any(holds)
        value = self.value(node)
        if value in (True, False, "true", "false"):
            return value in (True, "true")
        raise TemplateError("Template format error: Every Condition member must be a string.")


def _comparable(value: Any) -> Any:
    return value if isinstance(value, (str, dict, list)) else text(value)


def get_att(argument: Any) -> tuple[str, Any]:
    """Logical id and attribute of a Fn::GetAtt, in both of its forms."""
    if isinstance(argument, str):
        argument = argument.split(".", 1)
    if (
        not isinstance(argument, list)
        or len(argument) < 2
        or not isinstance(argument[0], str)
        or not argument[0]
        or not argument[1]
    ):
        raise TemplateError(_GET_ATT)
    if len(argument) > 2:
        return argument[0], ".".join(str(part) for part in argument[1:])
    return argument[0], argument[1]


def sub_parts(argument: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(argument, str):
        return argument, {}
    if (
        isinstance(argument, list)
        and len(argument) in (1, 2)
        and isinstance(argument[0], str)
        and (len(argument) == 1 or isinstance(argument[1], dict))
    ):
        return argument[0], argument[1] if len(argument) == 2 else {}
    raise TemplateError(_SUB_WORDS)


def sub_names(template: str) -> list[str]:
    """The names that a Fn::Sub text asks for."""
    return [name.strip() for name in _SUB.findall(template) if not name.startswith("!")]


def if_parts(argument: Any) -> tuple[str, Any, Any]:
    if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
        raise TemplateError("Template error: Fn::If requires a list argument with three elements")
    return argument[0], argument[1], argument[2]


_GET_ATT: Final = (
    "Template error: Fn::GetAtt object requires two non-empty parameters, the resource name and the resource"
    " attribute"
)
_SUB_WORDS: Final = (
    "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as"
    " first argument, and an optional second argument to specify a mapping of values to replace in the string"
)
_JOIN: Final = (
    "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings"
    " to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
)
_SELECT: Final = (
    "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
)
_SPLIT: Final = (
    "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be"
    " split or a function that returns a string to be split."
)
_FIND_IN_MAP: Final = (
    "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute"
    " for return value"
)
_BASE64: Final = "Template error: every Fn::Base64 object must have a String-typed value."
_GET_AZS: Final = "Template error: every Fn::GetAZs object must have a String-typed value."
_CIDR: Final = (
    "Template error: Every Fn::Cidr object requires two or three parameters, (1) a cidr block, (2) the number of"
    " subnets and (3) the number of cidr bits"
)
_IMPORT: Final = (
    "Template error: the attribute in Fn::ImportValue must be a string or a function that returns a string"
)
_EQUALS: Final = "Template error: every Fn::Equals object requires a list of 2 string parameters."
_NOT: Final = "Template error: every Fn::Not object requires one boolean parameter."
_AND_OR: Final = (
    "Template error: every {} object requires a list of at least 2 and at most 10 boolean parameters."
)

_FUNCTIONS: Final[Mapping[str, Callable[[Evaluator, Any], Any]]] = {
    "Ref": Evaluator._ref,
    "Fn::GetAtt": Evaluator._get_att,
    "Fn::Sub": Evaluator._sub,
    "Fn::Join": Evaluator._join,
    "Fn::Select": Evaluator._select,
    "Fn::Split": Evaluator._split,
    "Fn::FindInMap": Evaluator._find_in_map,
    "Fn::If": Evaluator._if,
    "Fn::Base64": Evaluator._base64,
    "Fn::GetAZs": Evaluator._get_azs,
    "Fn::Cidr": Evaluator._cidr,
    "Fn::ImportValue": Evaluator._import_value,
    "Fn::ToJsonString": Evaluator._to_json_string,
    "Fn::Length": Evaluator._length,
    **{
        name: (lambda self, argument, name=name: self._as_condition(name)(argument))  # type: ignore[misc]
        for name in ("Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not")
    },
}
