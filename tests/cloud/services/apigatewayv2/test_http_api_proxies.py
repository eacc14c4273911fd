"""HTTP_PROXY integrations and parameter mapping, against an endpoint that says what it was asked."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class _Mirror(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        asked = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode(),
        }
        status = int(self.headers.get("x-status") or 200)
        answer = json.dumps(asked).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Own", "1")
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Mirror)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def to(api: Any, uri: str, key: str = "ANY /{proxy+}", **members: Any) -> None:
    given = {
        "IntegrationType": "HTTP_PROXY",
        "IntegrationUri": uri,
        "IntegrationMethod": "ANY",
        "PayloadFormatVersion": "1.0",
        **members,
    }
    integration = api.on("CreateIntegration", **given)["IntegrationId"]
    api.route(key, Target=f"integrations/{integration}")


def test_the_request_goes_through(api: Any, functions: Any, endpoint: str) -> None:
    to(api, f"{endpoint}/base/{{proxy}}?own=1")
    response = api.get("POST", "/a/b%20c?x=1&x=2", "hi", **{"content-type": "text/plain", "x-mine": "q"})
    assert response.status == 200
    assert response.headers["x-own"] == "1"
    assert response.headers["content-type"] == "application/json"
    assert [response.headers["set-cookie"], *(value for _, value in response.extra_headers)] == ["a=1", "b=2"]
    asked = json.loads(response.body)
    assert asked["method"] == "POST"
    assert asked["path"] == "/base/a/b%20c?own=1&x=1&x=2"
    assert asked["body"] == "hi"
    headers = asked["headers"]
    assert headers["x-mine"] == "q"
    assert headers["host"] == endpoint.removeprefix("http://")
    assert headers["via"] == "HTTP/1.1 AmazonAPIGateway"
    assert headers["forwarded"] == f"by={api.id};for=10.1.2.3;host=localhost:3000;proto=http"


def test_the_integrations_own_method(api: Any, functions: Any, endpoint: str) -> None:
    to(api, endpoint, "GET /x", IntegrationMethod="PUT")
    assert json.loads(api.get("GET", "/x").body)["method"] == "PUT"


def test_request_parameters(api: Any, functions: Any, endpoint: str) -> None:
    api.on("UpdateStage", StageName="$default", StageVariables={"v": "staged"})
    to(
        api,
        endpoint,
        "ANY /x/{id}",
        RequestParameters={
            "overwrite:path": "/made/${request.path.id}",
            "append:header.x-added": "$request.querystring.q",
            "overwrite:header.x-set": "${stageVariables.v}-${context.httpMethod}",
            "remove:header.x-gone": "''",
            "append:querystring.r": "$request.body.user.name",
            "remove:querystring.q": "''",
        },
    )
    sent = json.dumps({"user": {"name": "me"}})
    asked = json.loads(api.get("POST", "/x/7?q=1", sent, **{"x-gone": "1", "x-added": "0"}).body)
    assert asked["path"] == "/made/7?r=me"
    assert asked["headers"]["x-added"] == "0,1"
    assert asked["headers"]["x-set"] == "staged-POST"
    assert "x-gone" not in asked["headers"]


def test_response_parameters(api: Any, functions: Any, endpoint: str) -> None:
    to(
        api,
        endpoint,
        "GET /x",
        ResponseParameters={
            "404": {
                "overwrite:statuscode": "200",
                "append:header.x-own": "2",
                "overwrite:header.x-said": "$response.body.method",
                "remove:header.content-type": "''",
            }
        },
    )
    assert api.get("GET", "/x", **{"x-status": "500"}).status == 500
    response = api.get("GET", "/x", **{"x-status": "404"})
    assert response.status == 200
    assert response.headers["x-own"] == "1,2"
    assert response.headers["x-said"] == "GET"
    assert "content-type" not in response.headers


def test_response_parameters_of_a_function(api: Any, functions: Any) -> None:
    mapped = {"200": {"overwrite:header.x-id": "$context.apiId"}}
    api.route("GET /x", Target=api.integration(ResponseParameters=mapped))
    assert api.get("GET", "/x").headers["x-id"] == api.id


def test_an_endpoint_that_is_not_there(api: Any, functions: Any) -> None:
    to(api, "http://127.0.0.1:1/", "GET /x")
    response = api.get("GET", "/x")
    assert (response.status, json.loads(response.body)) == (503, {"message": "Service Unavailable"})


def test_a_clients_connection_is_not_the_endpoints(api: Any, functions: Any, endpoint: str) -> None:
    to(api, endpoint, "POST /x")
    asked = json.loads(
        api.get("POST", "/x", "hi", connection="upgrade", **{"transfer-encoding": "chunked"}).body
    )
    assert asked["body"] == "hi"
    assert asked["headers"]["connection"] == "close"
    assert "transfer-encoding" not in asked["headers"]


def test_an_endpoint_that_does_not_answer_in_time(api: Any, functions: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        to(api, f"http://127.0.0.1:{silent.getsockname()[1]}/", "GET /x", TimeoutInMillis=50)
        assert api.get("GET", "/x").status == 503
