"""How functions are named: by name, partial ARN or ARN, with or without a qualifier."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...kernel import Call
from .errors import InvalidParameterValueException, ResourceNotFoundException

LATEST = "$LATEST"
_LARGEST = 2**63 - 1  # that the store holds
_NAME = re.compile(
    r"(?:(?:arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?function:|(?P<only>\d{12}):)?"
    r"(?P<name>[a-zA-Z0-9-_]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)


class FunctionName(NamedTuple):
    """One function, in its place. qualifier: a version, an alias, or "" where none was given."""

    account: str
    region: str
    name: str
    qualifier: str = ""

    @classmethod
    def parse(cls, text: str, account: str, region: str, qualifier: str | None = None) -> FunctionName:
        """Raises InvalidParameterValueException where two qualifiers contradict one another."""
        found = _NAME.fullmatch(text)
        if found is None:
            raise ResourceNotFoundException(f"Function not found: {text}")
        own = found["qualifier"] or ""
        if own and qualifier and own != qualifier:
            raise InvalidParameterValueException(
                "The derived qualifier from the function name does not match the specified qualifier."
            )
        return cls(found["account"] or account, found["region"] or region, found["name"], qualifier or own)

    @classmethod
    def of(cls, call: Call, text: str, qualifier: str | None = None) -> FunctionName:
        return cls.parse(text, call.account, call.region, qualifier)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.account, self.region, self.name

    @property
    def arn(self) -> str:
        """Unqualified."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    @property
    def qualified_arn(self) -> str:
        return f"{self.arn}:{self.qualifier}" if self.qualifier else self.arn

    @property
    def is_version(self) -> bool:
        return not self.qualifier or self.qualifier == LATEST or self.qualifier.isdigit()

    @property
    def number(self) -> int:
        """The version as it is stored: 0 is $LATEST."""
        return min(int(self.qualifier), _LARGEST) if self.qualifier.isdigit() else 0

    def at(self, qualifier: str) -> FunctionName:
        return self._replace(qualifier=qualifier)
