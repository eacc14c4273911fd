"""A service's codec: which operation a request means, its input, and the answer on the wire.

Everything is compiled when it is first needed and kept: a request costs a look-up and the closures of its operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pileus.cloud.kernel.errors import AwsError
from pileus.cloud.kernel.http import HttpRequest, HttpResponse
from pileus.cloud.protocol import constraints
from pileus.cloud.protocol.errors import (
    InvalidAction,
    MethodNotAllowed,
    MissingAction,
    UnknownOperation,
    UnknownRoute,
)
from pileus.cloud.protocol.faults import Faults
from pileus.cloud.protocol.model import Model, load_model
from pileus.cloud.protocol.places import is_streaming
from pileus.cloud.protocol.plan import NO_PARAMS, Match, Plan, Wire
from pileus.cloud.protocol.query import Query, form_of
from pileus.cloud.protocol.quirks import Quirks, quirks_of
from pileus.cloud.protocol.rest import Rest
from pileus.cloud.protocol.restbody import JsonBody, XmlBody
from pileus.cloud.protocol.router import Router
from pileus.cloud.protocol.rpc import CborRpc, JsonRpc
from pileus.cloud.protocol.tree import TreeReader

CBOR = "smithy-rpc-v2-cbor"
_NOTHING: Mapping[str, Any] = {}


def service_codec(
    model_name: str, *, cache_dir: Path | None = None, opaque: frozenset[str] = frozenset()
) -> ServiceCodec:
    """The codec of one of botocore's services.

    cache_dir: where the stripped model is kept between runs. opaque: shapes whose values are left as they are on the
    wire, in both directions, and unchecked.
    """
    return ServiceCodec(load_model(model_name, cache_dir=cache_dir), opaque)


class ServiceCodec:
    """metadata: of the model. protocols: what the service speaks, its own first. operations: the model's, by name."""

    def __init__(self, model: Model, opaque: frozenset[str] = frozenset()) -> None:
        self.name = model.name
        self.metadata = model.metadata
        self.operations = model.operations
        own = model.metadata["protocol"]
        self._quirks: Quirks = quirks_of(model.name, own)
        also = (*model.metadata.get("protocols", ()), *self._quirks.protocols)
        self.protocols: tuple[str, ...] = tuple(dict.fromkeys((own, *also)))
        self._model = model
        self._opaque = opaque
        self._faults = Faults(model, self._quirks)
        self._constraints = constraints.Constraints(
            model.shapes,
            opaque=opaque,
            unchecked=self._quirks.unchecked,
            presence_only=not self._quirks.validate_constraints,
        )
        self._wires: dict[str, Wire] = {}
        self._plans: dict[tuple[str, str], Plan] = {}
        self._checks: dict[str, constraints.Inner | None] = {}
        self._native = TreeReader(model.shapes, opaque=opaque, binary=True, by_member=True)
        self._router: Router | None = None
        self._streaming = {
            side: frozenset(
                name for name, parts in model.operations.items() if is_streaming(model.shapes, parts, side)
            )
            for side in ("input", "output")
        }
        self._targets: dict[str, Match] = {}
        if "json" in self.protocols:
            prefix = model.metadata["targetPrefix"]
            self._targets = {f"{prefix}.{name}": Match(name, NO_PARAMS, "json") for name in model.operations}

    # which operation

    def identify(self, request: HttpRequest) -> Match:
        """Raises `UnknownOperation`."""
        target = request.headers.get("x-amz-target")
        if target is not None:
            match = self._targets.get(target)
            if match is not None:
                return match
        if self.protocols[0] in ("rest-json", "rest-xml"):
            return self._route(request)
        if CBOR in self.protocols and request.path.startswith("/service/"):
            return self._identify_cbor(request)
        if target is not None and self._targets:
            raise UnknownOperation(protocol="json")
        if "query" in self.protocols:
            return self._identify_query(request)
        raise UnknownOperation(protocol=self.protocols[0])

    def _route(self, request: HttpRequest) -> Match:
        router = self._router
        if router is None:
            router = self._router = Router(self._model.operations, self._model.shapes)
        found = router.match(request.method, request.path, request.params, request.headers)
        if found is None:
            if self.protocols[0] == "rest-xml":
                raise MethodNotAllowed(
                    "The specified method is not allowed against this resource.", protocol="rest-xml"
                )
            raise UnknownRoute(protocol="rest-json")
        return Match(found[0], found[1], self.protocols[0])

    def _identify_cbor(self, request: HttpRequest) -> Match:
        parts = request.path.split("/")
        if len(parts) == 5 and parts[3] == "operation" and parts[4] in self.operations:
            return Match(parts[4], NO_PARAMS, CBOR)
        raise UnknownOperation(protocol=CBOR)

    def _identify_query(self, request: HttpRequest) -> Match:
        form = form_of(request)
        action = form.get("Action", "")
        if action in self.operations:
            return Match(action, NO_PARAMS, "query", form)
        if not action:
            raise MissingAction("The request must contain the parameter Action.", protocol="query")
        version = form.get("Version", self.metadata["apiVersion"])
        raise InvalidAction(f"Could not find operation {action} for version {version}", protocol="query")

    # its input

    def parse(self, match: Match, request: HttpRequest) -> dict[str, Any]:
        """The modelled input, with types and constraints checked. Raises `AwsError`s as the service words them."""
        plan = self._plans.get((match.operation, match.protocol)) or self._plan(match)
        parsed = plan.parse(request, match)
        try:
            check = self._checks[match.operation]
        except KeyError:
            check = self._check(match.operation)
        if check is not None and (found := check(parsed)):
            self._refuse(found)
        return parsed

    def validate(self, operation: str, request: Mapping[str, Any]) -> None:
        """The same checks, of types and constraints, for a request that did not come over the wire."""
        parts = self.operations[operation]
        if "input" in parts:
            self._native.structure(parts["input"]["shape"])(request)
        check = self._checks[operation] if operation in self._checks else self._check(operation)
        if check is not None and (found := check(request)):
            self._refuse(found)

    def _refuse(self, found: list[constraints.Violation]) -> None:
        quirks = self._quirks
        if quirks.missing is not None:
            for path, _, text in found:
                if text == constraints.NOT_NULL:
                    name = path.rpartition(".")[2]
                    raise quirks.missing(quirks.missing_text.format(name=name[:1].upper() + name[1:]))
        raise quirks.validation(constraints.message(found))

    def _check(self, operation: str) -> constraints.Inner | None:
        parts = self.operations[operation]
        check = None
        if "input" in parts:
            check = self._constraints.structure(parts["input"]["shape"])
        self._checks[operation] = check
        return check

    # the answer

    def serialise(self, match: Match, result: Mapping[str, Any] | None, *, request_id: str) -> HttpResponse:
        """The answer for a result. In REST protocols `$status` and `$headers` (dict) set what no member sets."""
        plan = self._plans.get((match.operation, match.protocol)) or self._plan(match)
        return plan.serialise(_NOTHING if result is None else result, request_id)

    def error(
        self, match_or_protocol: Match | str, error: AwsError, *, request_id: str, resource: str = ""
    ) -> HttpResponse:
        """The answer for an error. resource: what S3 tells as `<Resource>`."""
        if isinstance(match_or_protocol, str):
            protocol, operation = match_or_protocol, None
        else:
            protocol, operation = match_or_protocol.protocol, match_or_protocol.operation
        return self._wire(protocol).error(operation, error, request_id, resource)

    def is_streaming_input(self, operation: str) -> bool:
        return operation in self._streaming["input"]

    def is_streaming_output(self, operation: str) -> bool:
        return operation in self._streaming["output"]

    # compiling

    def _plan(self, match: Match) -> Plan:
        plan = self._wire(match.protocol).plan(match.operation)
        self._plans[match.operation, match.protocol] = plan
        return plan

    def _wire(self, protocol: str) -> Wire:
        wire = self._wires.get(protocol)
        if wire is None:
            wire = self._wires[protocol] = self._make_wire(protocol)
        return wire

    def _make_wire(self, protocol: str) -> Wire:
        model, quirks, opaque, faults = self._model, self._quirks, self._opaque, self._faults
        if protocol == "json":
            return JsonRpc(model, quirks, opaque, faults)
        if protocol == "query":
            return Query(model, quirks, faults)
        if protocol == "rest-json":
            return Rest(model, quirks, JsonBody(model, quirks, opaque, faults))
        if protocol == "rest-xml":
            return Rest(model, quirks, XmlBody(model, quirks, faults))
        if protocol == CBOR:
            return CborRpc(model, quirks, opaque, faults)
        raise LookupError(f"{self.name}: Pileus does not speak the protocol {protocol!r}")
