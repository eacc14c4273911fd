"""InvokeWithResponseStream: the response as events, while the function writes it; and the older InvokeAsync."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from typing import Any

from ...kernel import Call, NotEmulated, StreamFailed, operation
from ...runtime import Outcome
from .invocation import Invoking, check_json, decoded_client_context

Event = dict[str, dict[str, Any]]


class StreamedInvoke(Invoking):
    @operation("InvokeWithResponseStream")
    async def invoke_with_response_stream(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        if request.get("TenantId"):
            raise NotEmulated("lambda InvokeWithResponseStream.TenantId")
        target = self.target(request["FunctionName"], call.account, call.region, request.get("Qualifier"))
        payload = request.get("Payload") or b""
        check_json(payload)
        if request.get("InvocationType") == "DryRun":
            return {"StatusCode": 204, "EventStream": iter(())}
        context = decoded_client_context(request.get("ClientContext"))
        tail = request.get("LogType") == "Tail"
        spec, outcome = await self.run(
            target, payload or b"{}", call.request_id, self.lineage(target, call.trace), context, tail, True
        )
        return {
            "StatusCode": 200,
            "ExecutedVersion": spec.version,
            "EventStream": _events(outcome, tail),
        }

    @operation("InvokeAsync")
    def invoke_async_operation(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        target = self.target(request["FunctionName"], call.account, call.region)
        check_json(request["InvokeArgs"])
        self.enqueue(target, request["InvokeArgs"] or b"{}", call.trace, call.request_id)
        return {"Status": 202}


async def _events(outcome: Outcome, tail: bool) -> AsyncIterator[Event]:
    complete: dict[str, Any] = {}
    if outcome.chunks is not None:
        try:
            async for chunk in outcome.chunks:
                yield {"PayloadChunk": {"Payload": chunk}}
        except StreamFailed as failed:
            complete = {"ErrorCode": failed.kind, "ErrorDetails": failed.document.decode("utf-8", "replace")}
        finally:
            close = getattr(outcome.chunks, "aclose", None)
            if close is not None:
                await close()  # where the client went away
    elif outcome.error:
        complete = {"ErrorCode": "Unhandled", "ErrorDetails": outcome.payload.decode("utf-8", "replace")}
    else:
        yield {"PayloadChunk": {"Payload": outcome.payload}}
    if tail:
        complete["LogResult"] = base64.b64encode(outcome.tail()).decode()
    yield {"InvokeComplete": complete}
