"""What the codec keeps of an identified request and of a compiled operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from pileus.cloud.kernel.errors import AwsError
from pileus.cloud.kernel.http import HttpRequest, HttpResponse

NO_PARAMS: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Match:
    """What a request means. protocol: the one the client speaks. path_params: labels of the path, decoded.
    form: the parameters of a query request, which had to be read to find the operation."""

    operation: str
    path_params: Mapping[str, str]
    protocol: str
    form: Mapping[str, str] | None = None


class Plan(NamedTuple):
    """One operation in one protocol, compiled.

    parse: the modelled input of a request, types checked. serialise: the answer for a result and a request id.
    """

    parse: Callable[[HttpRequest, Match], dict[str, Any]]
    serialise: Callable[[Mapping[str, Any], str], HttpResponse]


class Wire(Protocol):
    """One protocol of one service."""

    def plan(self, operation: str) -> Plan: ...

    def error(self, operation: str | None, error: AwsError, request_id: str, resource: str) -> HttpResponse:
        """The answer that tells an error. operation: None when it isn't known."""
        ...
