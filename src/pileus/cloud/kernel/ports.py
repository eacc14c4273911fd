"""What services offer one another beside their API operations: the few hot paths that need no wire shapes.

They are reached through the kernel (`cloud.functions`, `cloud.logs`, …), never by import.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from .http import HttpRequest, HttpResponse


class Invocation(NamedTuple):
    """What became of a synchronous invocation.

    payload: the function's response, or the error document. function_error: `Unhandled` or None. log_tail: the last
    4 KB of its log, where asked for. duration: seconds of the handler.
    """

    status: int
    payload: bytes
    function_error: str | None
    executed_version: str
    request_id: str
    log_tail: bytes = b""
    duration: float = 0.0


class StreamFailed(Exception):
    """Raised by `StreamedInvocation.chunks`: the function failed after its response had begun.

    kind: the error's type, such as `Runtime.ExitError`. document: the error document.
    """

    def __init__(self, kind: str, document: bytes) -> None:
        super().__init__(kind)
        self.kind = kind
        self.document = document


class StreamedInvocation(NamedTuple):
    """An invocation whose caller takes the response while the function still writes it.

    invocation: as for `invoke`; its payload is the whole response, or the error document, where `chunks` is None: the
    function failed before it wrote anything, or its runtime answers in one piece. content_type: what the runtime says
    of its response (`application/vnd.awslambda.http-integration-response` where a JSON head and eight zero bytes go
    ahead of the body), "" where it says nothing. chunks: must be iterated to the end, or closed with `aclose()`, for
    the environment is busy until then. They end with StreamFailed where the function does.
    """

    invocation: Invocation
    content_type: str = ""
    chunks: AsyncIterator[bytes] | None = None


class Functions(Protocol):
    """Implemented by lambda."""

    async def invoke(
        self, function_arn: str, payload: bytes, *, trace: str | None = None, source_arn: str = ""
    ) -> Invocation:
        """Runs the function and waits. Raises the AwsError of the API (ResourceNotFoundException,
        TooManyRequestsException, …) where no environment ran it; an error of the function is in the result."""
        ...

    async def invoke_stream(
        self, function_arn: str, payload: bytes, *, trace: str | None = None, source_arn: str = ""
    ) -> StreamedInvocation:
        """Runs the function and returns as soon as its response begins. Raises as `invoke` does."""
        ...

    def longest(self, function_arn: str) -> float:
        """Seconds after which an invocation has ended whatever happens: its timeout, and the limit of a start."""
        ...

    def invoke_async(
        self, function_arn: str, payload: bytes, *, trace: str | None = None, source_arn: str = ""
    ) -> str:
        """Leaves the event in the function's durable queue, in the current transaction. Returns the request id."""
        ...


class FunctionUrls(Protocol):
    """Implemented by lambda, beside `Functions`: what of it is reached over HTTP outside its API."""

    async def serve_url(self, url_id: str, request: HttpRequest, path: str) -> HttpResponse:
        """A request to a function's URL. path: percent-encoded, beginning with `/`."""
        ...

    def serve_code(self, request: HttpRequest) -> HttpResponse:
        """The download behind the `Location` of a function's or layer's code."""
        ...


class Logs(Protocol):
    """Implemented by logs."""

    def append(
        self, account: str, region: str, group: str, stream: str, events: Iterable[tuple[int, str]]
    ) -> None:
        """Takes log events, (milliseconds since the epoch, message); written soon after, outside the caller's
        transaction: a log line is not an answer. Makes the group and the stream where they do not exist."""
        ...


class Metrics(Protocol):
    """Implemented by cloudwatch."""

    def put(self, account: str, region: str, namespace: str, data: Iterable[Mapping[str, Any]]) -> None:
        """Publishes data points, in the current transaction if there is one. data: `MetricDatum` of PutMetricData,
        with `Timestamp` in seconds. Raises as PutMetricData does, but takes namespaces of AWS's own."""
        ...

    def put_embedded(self, account: str, region: str, documents: Iterable[Mapping[str, Any]]) -> None:
        """Publishes the metrics of log lines in the Embedded Metric Format (parsed JSON). What is malformed is left
        out without an error."""
        ...


class Traces(Protocol):
    """Implemented by xray."""

    def put_segment(self, account: str, region: str, document: dict[str, Any]) -> None: ...


class ApiDataPlane(Protocol):
    """Implemented by apigateway and apigatewayv2: an HTTP request to a deployed API. `Cloud.apis` finds which."""

    def owns(self, api_id: str) -> bool:
        """Whether the API is of this service."""
        ...

    def stage_of(self, api_id: str, path: str) -> tuple[str, str]:
        """(stage, the path after it) of the path of a URL at the API's own host name."""
        ...

    def serve(
        self, api_id: str, stage: str, request: HttpRequest, path: str
    ) -> Coroutine[Any, Any, HttpResponse]:
        """path: percent-encoded, after the stage, beginning with `/`."""
        ...

    def has_route(self, api_id: str, stage: str, method: str, path: str) -> bool:
        """Whether a request would come to a route or a method, and not to the answer for what there is not."""
        ...


class SocketDataPlane(Protocol):
    """Implemented by apigatewaymanagementapi: WebSocket connections to deployed APIs."""

    def connect(
        self, api_id: str, stage: str, request: HttpRequest, accepted: dict[str, str]
    ) -> Coroutine[Any, Any, HttpResponse]:
        """A handshake that RFC 6455 allows. accepted: the headers of the answer that accepts it, which then is a 101
        with its `upgrade`; any other answer refuses."""
        ...
