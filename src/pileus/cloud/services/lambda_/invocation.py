"""Invoking: the synchronous path, which every HTTP request and event takes, and the durable queue of asynchronous ones."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ...kernel import Call, Invocation, NotEmulated, StreamedInvocation, operation
from ...runtime import EnvironmentFailed, Event, FunctionSpec, Outcome
from .base import LambdaBase, log
from .errors import (
    InvalidParameterValueException,
    InvalidRequestContentException,
    RecursiveInvocationException,
    RequestTooLargeException,
    ServiceException,
    TooManyRequestsException,
)
from .lineage import MOST, advanced
from .names import LATEST, FunctionName
from .streams import Chunks

#: Environments that an account may have at work in a region.
ACCOUNT_CONCURRENCY = 1000
#: Seconds: an init phase of ten, and time to end a process.
_LONGEST_START = 12.0
_SYNC_LIMIT = 6_291_456
_ASYNC_LIMIT = 1_048_576


@dataclass(frozen=True, slots=True)
class Target:
    """What a function ARN leads to, as a caller wrote it. specs: with their weights, more than one for an alias that
    routes; reserved: the function's reserved concurrency."""

    name: FunctionName
    specs: tuple[tuple[FunctionSpec, float], ...]
    reserved: int | None
    arn: str
    dead_letter: str = ""
    may_recurse: bool = False

    def choose(self) -> FunctionSpec:
        if len(self.specs) == 1:
            return self.specs[0][0]
        return random.choices([s for s, _ in self.specs], [w for _, w in self.specs])[0]


class Invoking(LambdaBase):
    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self._targets: dict[tuple[str, str, str, str | None], Target] = {}
        self._at_work: dict[tuple[str, ...], int] = {}

    def forget(self) -> None:
        super().forget()
        self._targets.clear()

    def target(self, text: str, account: str = "", region: str = "", qualifier: str | None = None) -> Target:
        """text: a name or ARN. Raises ResourceNotFoundException."""
        key = (text, account, region, qualifier)
        found = self._targets.get(key)
        if found is None:
            settings = self.cloud.settings
            name = FunctionName.parse(text, account or settings.account, region or settings.region, qualifier)
            found = self._target(name)
            self._targets[key] = found
        return found

    def _target(self, name: FunctionName) -> Target:
        row = self.function_row(name)
        weights = {name.qualifier or LATEST: 1.0}
        if not name.is_version:
            alias = self.alias(name)
            others = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
            weights = {alias["FunctionVersion"]: 1.0 - sum(others.values()), **others}
        specs = tuple((self.spec(name.at(version)), weight) for version, weight in weights.items())
        arn = name.qualified_arn
        dead_letter = self.version(name).config.get("DeadLetterConfig", {}).get("TargetArn", "")
        may_recurse = self.setting(name.at(""), "recursion") == "Allow"
        return Target(name, specs, row["reserved"], arn, dead_letter, may_recurse)

    # -- the port ---------------------------------------------------------------------------------------------------

    async def invoke(
        self, function_arn: str, payload: bytes, *, trace: str | None = None, source_arn: str = ""
    ) -> Invocation:
        """Runs the function and waits. See kernel.ports.Functions."""
        target = self.target(function_arn)
        request_id = self.ids.uuid()
        spec, outcome = await self.run(target, payload, request_id, trace)
        return Invocation(
            200,
            outcome.payload,
            "Unhandled" if outcome.error else None,
            spec.version,
            request_id,
            duration=outcome.duration,
        )

    async def invoke_stream(
        self, function_arn: str, payload: bytes, *, trace: str | None = None, source_arn: str = ""
    ) -> StreamedInvocation:
        """Runs the function and returns as soon as its response begins. See kernel.ports.Functions."""
        request_id = self.ids.uuid()
        spec, outcome = await self.run(self.target(function_arn), payload, request_id, trace, streams=True)
        error = "Unhandled" if outcome.error else None
        head = Invocation(200, outcome.payload, error, spec.version, request_id, duration=outcome.duration)
        return StreamedInvocation(head, outcome.content_type, outcome.chunks)

    def longest(self, function_arn: str) -> float:
        """See kernel.ports.Functions."""
        target = self.target(function_arn)
        if target.name.name in self.runtime.hooks.debuggers:
            return 0.0  # whoever debugs it decides: nobody's patience ends before
        return max(spec.timeout for spec, _ in target.specs) + _LONGEST_START

    async def run(
        self,
        target: Target,
        payload: bytes,
        request_id: str,
        trace: str | None,
        client_context: str = "",
        tail: bool = False,
        streams: bool = False,
    ) -> tuple[FunctionSpec, Outcome]:
        """One event through one environment. Raises TooManyRequestsException where none may be started."""
        if len(payload) > _SYNC_LIMIT:
            raise RequestTooLargeException(
                f"Request must be smaller than {_SYNC_LIMIT} bytes for the InvokeFunction operation"
            )
        spec = target.choose()
        event = Event(
            request_id,
            payload or b"null",
            target.arn,
            trace or self._trace(),
            client_context,
            tail=tail,
            streams=streams,
        )
        place, function = target.name.key[:2], target.name.key
        at_work = self._at_work
        self._admit(target, at_work.get(place, 0), at_work.get(function, 0))
        at_work[place] = at_work.get(place, 0) + 1
        at_work[function] = at_work.get(function, 0) + 1
        goes_on = False
        try:
            outcome = await self.runtime.submit(spec, event)
            if outcome.chunks is not None:
                outcome.chunks = Chunks(outcome.chunks, lambda: self._left(place, function))
                goes_on = True
            return spec, outcome
        except EnvironmentFailed as error:
            raise ServiceException(str(error)) from error
        finally:
            if not goes_on:
                self._left(place, function)

    def _left(self, place: tuple[str, ...], function: tuple[str, ...]) -> None:
        self._at_work[place] -= 1
        self._at_work[function] -= 1

    @staticmethod
    def _admit(target: Target, in_place: int, in_function: int) -> None:
        if target.reserved is not None and in_function >= target.reserved:
            reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
        elif in_place >= ACCOUNT_CONCURRENCY:
            reason = "ConcurrentInvocationLimitExceeded"
        else:
            return
        raise TooManyRequestsException("Rate Exceeded.", Reason=reason)

    def lineage(self, target: Target, trace: str | None) -> str:
        """The trace header for an invocation by an SDK, a queue or an event, which may be part of a loop. Raises
        RecursiveInvocationException where it goes round too often."""
        trace, rounds = advanced(trace or self._trace(), target.name.arn)
        if rounds >= MOST and not target.may_recurse:
            log.warning("%s was stopped: it invokes itself in a loop", target.name.arn)
            raise RecursiveInvocationException(
                "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services "
                "resources and stopped your function's invocation."
            )
        return trace

    def _trace(self) -> str:
        hexes = self.ids.hex(40)
        return f"Root=1-{int(self.clock.now()):08x}-{hexes[:24]};Parent={hexes[24:]};Sampled=1"

    def invoke_async(
        self, function_arn: str, payload: bytes, *, trace: str | None = None, source_arn: str = ""
    ) -> str:
        """Leaves the event in the function's durable queue. See kernel.ports.Functions."""
        target = self.target(function_arn)
        return self.enqueue(target, payload, trace, self.ids.uuid())

    def enqueue(self, target: Target, payload: bytes, trace: str | None, request_id: str) -> str:
        if len(payload) > _ASYNC_LIMIT:
            raise RequestTooLargeException(
                f"{len(payload)} byte payload is too large for the Event invocation type (limit {_ASYNC_LIMIT} bytes)"
            )
        self.bus.publish(
            "lambda.invoke",
            {
                "function": target.arn,
                "payload": payload.decode("utf-8"),
                "trace": trace or self._trace(),
                "request_id": request_id,
                "accepted": self.clock.now(),
                "attempts": 0,
                "throttles": 0,
            },
        )
        return request_id

    # -- the operation ------------------------------------------------------------------------------------------------

    @operation("Invoke")
    async def invoke_operation(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        for member in ("DurableExecutionName", "TenantId"):
            if request.get(member):
                raise NotEmulated(f"lambda Invoke.{member}")
        target = self.target(request["FunctionName"], call.account, call.region, request.get("Qualifier"))
        kind = request.get("InvocationType", "RequestResponse")
        payload = request.get("Payload") or b""
        check_json(payload)
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "Event":
            with self.store.transaction():
                self.enqueue(target, payload or b"{}", call.trace, call.request_id)
            return {"StatusCode": 202, "Payload": b""}
        context = decoded_client_context(request.get("ClientContext"))
        tail = request.get("LogType") == "Tail"
        trace = self.lineage(target, call.trace)
        spec, outcome = await self.run(target, payload or b"{}", call.request_id, trace, context, tail)
        result: dict[str, Any] = {
            "StatusCode": 200,
            "ExecutedVersion": spec.version,
            "Payload": outcome.payload,
        }
        if outcome.error:
            result["FunctionError"] = "Unhandled"
        if tail:
            result["LogResult"] = base64.b64encode(outcome.tail()).decode()
        return result


def check_json(payload: bytes) -> None:
    if not payload:
        return
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestContentException(
            f"Could not parse request body into json: Could not parse payload into json: {error}"
        ) from None


def decoded_client_context(encoded: str | None) -> str:
    if not encoded:
        return ""
    try:
        text = base64.b64decode(encoded, validate=True)
        return orjson.dumps(orjson.loads(text)).decode("latin-1")
    except ValueError:
        raise InvalidParameterValueException(
            "Client context must be a valid Base64-encoded JSON object."
        ) from None
