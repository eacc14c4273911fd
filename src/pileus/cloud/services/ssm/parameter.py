"""Parameters: names, versions, labels, and how they lie in the store.

Values lie in the store as they were given, those of SecureStrings too: encryption at rest is not pretended. Without
`WithDecryption` a SecureString is answered as opaque text that stands for the ciphertext and opens nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ...kernel import Call, NotEmulated, Row, Service, ValidationException
from .errors import (
    AccessDeniedException,
    HierarchyLevelLimitExceededException,
    ParameterNotFound,
    ParameterVersionNotFound,
)
from .schema import MIGRATIONS

_DEEPEST = 15
_LONGEST_NAME = 1011  # with the ARN before it, as the user guide says
_NAME = re.compile(r"[a-zA-Z0-9_.\-/]+")
_LATEST = (
    "SELECT v.* FROM ssm_parameter p JOIN ssm_version v"
    " ON v.account=p.account AND v.region=p.region AND v.name=p.name AND v.version=p.version"
)


@dataclass(slots=True)
class Parameter:
    """detail: Description, KeyId, AllowedPattern, Tier, DataType."""

    account: str
    region: str
    name: str
    version: int
    type: str
    value: str
    modified: float
    user: str
    detail: dict[str, Any]

    @property
    def arn(self) -> str:
        tail = self.name if self.name.startswith("/") else f"/{self.name}"
        return f"arn:aws:ssm:{self.region}:{self.account}:parameter{tail}"

    def wire(self, *, decrypted: bool, selector: str | None = None) -> dict[str, Any]:
        return {
            "Name": self.name,
            "Type": self.type,
            "Value": self.shown(decrypted),
            "Version": self.version,
            "Selector": selector,
            "LastModifiedDate": self.modified,
            "ARN": self.arn,
            "DataType": self.detail["DataType"],
        }

    def shown(self, decrypted: bool) -> str:
        if self.type != "SecureString" or decrypted:
            return self.value
        seed = f"{self.arn}:{self.version}:{self.value}".encode()
        return base64.b64encode(b"\x01\x02\x02\x00x" + hashlib.sha512(seed).digest()).decode()

    def metadata(self) -> dict[str, Any]:
        return {
            "Name": self.name,
            "ARN": self.arn,
            "Type": self.type,
            "KeyId": self.detail.get("KeyId"),
            "LastModifiedDate": self.modified,
            "LastModifiedUser": self.user,
            "Description": self.detail.get("Description"),
            "AllowedPattern": self.detail.get("AllowedPattern"),
            "Version": self.version,
            "Tier": self.detail["Tier"],
            "Policies": [],
            "DataType": self.detail["DataType"],
        }


def parameter_of(row: Row) -> Parameter:
    return Parameter(
        row["account"],
        row["region"],
        row["name"],
        row["version"],
        row["type"],
        row["value"],
        row["modified"],
        row["user"],
        orjson.loads(row["detail"]),
    )


class ParameterStore(Service):
    """The store of parameters: the base of the service's parts."""

    name = "ssm"
    migrations = MIGRATIONS

    def selected(self, call: Call, name: str) -> tuple[Parameter, str | None]:
        """By `name`, `name:version`, `name:label` or an ARN; and the selector. Raises ParameterNotFound."""
        bare, selector = split_selector(name)
        found = self.latest(call, bare)
        if selector is None:
            return found, None
        if selector.isdecimal():
            return self.version(found, int(selector)), f":{selector}"
        row = self.store.one(
            "SELECT version FROM ssm_label WHERE account=? AND region=? AND name=? AND label=?",
            (found.account, found.region, found.name, selector),
        )
        if row is None:
            raise ParameterVersionNotFound(
                f"Systems Manager could not find label {selector} for parameter {found.name}. Verify the label and"
                " try again."
            )
        return self.version(found, row["version"]), f":{selector}"

    def latest(self, call: Call, name: str) -> Parameter:
        """Raises ParameterNotFound."""
        for candidate in _candidates(name):
            found = self.find(call, candidate)
            if found is not None:
                return found
        if name.startswith("/aws/service/"):
            raise NotEmulated(f"ssm the public parameter {name}")
        raise ParameterNotFound()

    def find(self, call: Call, name: str) -> Parameter | None:
        row = self.store.one(
            f"{_LATEST} WHERE p.account=? AND p.region=? AND p.name=?", (call.account, call.region, name)
        )
        return None if row is None else parameter_of(row)

    def version(self, parameter: Parameter, number: int) -> Parameter:
        """Raises ParameterVersionNotFound."""
        if number == parameter.version:
            return parameter
        row = self.store.one(
            "SELECT * FROM ssm_version WHERE account=? AND region=? AND name=? AND version=?",
            (parameter.account, parameter.region, parameter.name, number),
        )
        if row is None:
            raise ParameterVersionNotFound(
                f"Systems Manager could not find version {number} of {parameter.name}. Verify the version and try"
                " again."
            )
        return parameter_of(row)

    def add_version(self, parameter: Parameter) -> None:
        self.store.execute(
            "INSERT INTO ssm_version (account,region,name,version,type,value,modified,user,detail)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (
                parameter.account,
                parameter.region,
                parameter.name,
                parameter.version,
                parameter.type,
                parameter.value,
                parameter.modified,
                parameter.user,
                orjson.dumps(parameter.detail),
            ),
        )

    def remove(self, parameter: Parameter) -> None:
        for table in ("ssm_parameter", "ssm_version", "ssm_label"):
            self.store.execute(
                f"DELETE FROM {table} WHERE account=? AND region=? AND name=?",
                (parameter.account, parameter.region, parameter.name),
            )

    def tags(self, parameter: Parameter) -> dict[str, str]:
        row = self.store.one(
            "SELECT tags FROM ssm_parameter WHERE account=? AND region=? AND name=?",
            (parameter.account, parameter.region, parameter.name),
        )
        found: dict[str, str] = orjson.loads(row["tags"]) if row is not None else {}
        return found

    def set_tags(self, parameter: Parameter, tags: Mapping[str, str]) -> None:
        self.store.execute(
            "UPDATE ssm_parameter SET tags=? WHERE account=? AND region=? AND name=?",
            (orjson.dumps(dict(tags)), parameter.account, parameter.region, parameter.name),
        )

    def labels(self, parameter: Parameter) -> dict[str, int]:
        rows = self.store.all(
            "SELECT label,version FROM ssm_label WHERE account=? AND region=? AND name=? ORDER BY label",
            (parameter.account, parameter.region, parameter.name),
        )
        return {row["label"]: row["version"] for row in rows}

    def after(self, call: Call, low: str, high: str, limit: int) -> list[Parameter]:
        """Latest versions with low < name < high, in order."""
        rows = self.store.all(
            f"{_LATEST} WHERE p.account=? AND p.region=? AND p.name>? AND p.name<? ORDER BY p.name LIMIT ?",
            (call.account, call.region, low, high, limit),
        )
        return [parameter_of(row) for row in rows]


def split_selector(name: str) -> tuple[str, str | None]:
    """`name:3` → name and `3`. The colons of an ARN are none."""
    head, colon, tail = name.rpartition(":")
    if not colon or (name.startswith("arn:") and name.count(":") <= 5):
        return name, None
    return head, tail


def _candidates(name: str) -> tuple[str, ...]:
    """Names that an ARN can stand for: `…:parameter/a` is that of `a` and of `/a`."""
    if not name.startswith("arn:"):
        return (name,)
    tail = name.partition(":parameter")[2]
    return (tail, tail[1:]) if tail.count("/") == 1 else (tail,)


def check_name(name: str) -> None:
    """The rules for a new parameter's name."""
    first = name.lstrip("/").split("/")[0].lower()
    if first.startswith("aws"):
        raise AccessDeniedException(f"No access to reserved parameter name: {name}.")
    if not _NAME.fullmatch(name) or first.startswith("ssm") or name.endswith("/") or "//" in name:
        raise ValidationException(
            'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of'
            " sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the"
            " following 3 symbols .-_"
        )
    if "/" in name and not name.startswith("/"):
        raise ValidationException("Parameter name must be a fully qualified name.")
    if len(name) > _LONGEST_NAME:
        raise ValidationException(
            f"Parameter name must not be longer than {_LONGEST_NAME} characters, with the ARN that goes before it."
        )
    if name.count("/") > _DEEPEST:
        raise HierarchyLevelLimitExceededException(f"A hierarchy can have a maximum of {_DEEPEST} levels.")
