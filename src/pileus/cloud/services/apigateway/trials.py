"""TestInvokeMethod: a method of the working copy, asked without a stage and without its authorization."""

from __future__ import annotations

import time

from pileus.cloud.kernel import Call, HttpRequest, NotEmulated, operation

from .base import Request, Result
from .deployments import snapshot_of
from .documents import Documents
from .errors import BadRequestException, NotFoundException
from .methods import Methods
from .vtl import TemplateSyntaxError


class Trials(Methods):
    @operation("TestInvokeMethod")
    async def test_invoke_method(self, call: Call, request: Request) -> Result:
        if request.get("clientCertificateId"):
            raise NotEmulated("apigateway TestInvokeMethod.clientCertificateId")
        api = self.api(call, request["restApiId"])
        resource, method = self.method(call, request)
        if "methodIntegration" not in method:
            raise NotFoundException("No integration defined for method")
        verb = request["httpMethod"]
        alone = {**resource, "resourceMethods": {verb: method}}
        snapshot = snapshot_of(Documents.of(call), api, [alone])
        variables = dict(request.get("stageVariables") or {})
        try:
            stage = self.plane.trial_stage(snapshot, (call.account, call.region), variables)
        except (TemplateSyntaxError, ValueError) as error:
            raise BadRequestException(f"Invalid API configuration: {error}") from None
        asked = _asked(request, "GET" if verb == "ANY" else verb, resource["path"])
        started = self.clock.now()
        response, exchange = await self.plane.try_method(stage, asked, asked.path, call.request_id)
        headers: dict[str, list[str]] = {name: [value] for name, value in response.headers.items()}
        for name, value in response.extra_headers:
            headers.setdefault(name, []).append(value)
        told = [
            f"Starting execution for request: {call.request_id}",
            f"HTTP Method: {asked.method}, Resource Path: {asked.path}",
            f"Method request path: {exchange.parameters}",
            f"Method request body before transformations: {asked.body.decode('utf-8', 'replace')}",
            *([f"Execution failed: {exchange.error.message}"] if exchange.error is not None else []),
            f"Method completed with status: {response.status}",
        ]
        stamp = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(started))
        log = "".join(f"{stamp} : {line}\n" for line in told)
        return {
            "status": response.status,
            "body": response.body.decode("utf-8", "replace"),
            "headers": {name: ",".join(values) for name, values in headers.items()},
            "multiValueHeaders": headers,
            "log": f"Execution log for request {call.request_id}\n{log}",
            "latency": int((self.clock.now() - started) * 1000),
        }


def _asked(request: Request, verb: str, resource_path: str) -> HttpRequest:
    path, _, query = (request.get("pathWithQueryString") or resource_path).partition("?")
    many = {name.lower(): list(values) for name, values in (request.get("multiValueHeaders") or {}).items()}
    headers = {name: ",".join(values) for name, values in many.items()}
    headers |= {name.lower(): value for name, value in (request.get("headers") or {}).items()}
    body = (request.get("body") or "").encode()
    return HttpRequest(
        verb, path, query, headers, body, client="test-invoke-source-ip", repeated=many if many else None
    )
