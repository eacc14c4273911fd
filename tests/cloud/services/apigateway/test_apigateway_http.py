"""HTTP and HTTP_PROXY integrations: a real server behind the API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from pileus.cloud.kernel import HttpResponse

Reply = Callable[[str, dict[str, list[str]], bytes], bytes]


def echo(target: str, headers: dict[str, list[str]], body: bytes) -> bytes:
    """What the server got, as JSON."""
    got = json.dumps({"target": target, "headers": headers, "body": body.decode("latin-1")}).encode()
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: origin\r\nX-Two: a\r\nX-Two: b\r\n"
        f"Content-Length: {len(got)}\r\n\r\n"
    )
    return head.encode() + got


def saying(raw: bytes) -> Reply:
    return lambda target, headers, body: raw


class Origin:
    def __init__(self, reply: Reply | None) -> None:
        self.reply = reply

    async def __aenter__(self) -> Origin:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, list[str]] = {}
        for line in head[1:-2]:
            name, _, value = line.partition(": ")
            headers.setdefault(name.lower(), []).append(value)
        body = await reader.readexactly(int(headers.get("content-length", ["0"])[0]))
        if self.reply is None:
            await reader.read()  # never answers: until the client goes away
        else:
            writer.write(self.reply(" ".join(head[0].split()[:2]), headers, body))
        writer.close()


def integrate(api: Any, path: str, verb: str = "ANY", port: int = 0, **integration: Any) -> None:
    responses = integration.pop("responses", ())
    api.bare_method(verb, path)
    where = {"resourceId": api.resource(path), "httpMethod": verb}
    uri = integration.pop("uri").replace("PORT", str(port))
    api.on("PutIntegration", **where, integrationHttpMethod=verb, uri=uri, **integration)
    for response in responses:
        declared = dict.fromkeys(response.get("responseParameters", {}), True)
        api.on("PutMethodResponse", **where, statusCode=response["statusCode"], responseParameters=declared)
        api.on("PutIntegrationResponse", **where, **response)


def through(
    api: Any,
    reply: Reply | None,
    verb: str,
    path: str,
    resource: str,
    body: bytes = b"",
    *,
    headers: dict[str, str] | None = None,
    variables: dict[str, str] | None = None,
    **integration: Any,
) -> HttpResponse:
    async def run() -> HttpResponse:
        async with Origin(reply) as origin:
            integrate(api, resource, port=origin.port, **integration)
            api.deploy(variables=variables or {})
            answer: HttpResponse = await api.ask(verb, path, body, **(headers or {}))
            return answer

    return asyncio.run(run())


def test_a_proxied_request_goes_as_it_came(api: Any) -> None:
    answer = through(
        api,
        echo,
        "PUT",
        "/files/a%20b/c?x=1&x=2&y=%2F",
        "/files/{rest+}",
        b'{"a":1}',
        headers={"content_type": "application/json", "x_own": "me", "cookie": "k=v"},
        type="HTTP_PROXY",
        uri="http://127.0.0.1:PORT/base/{rest}",
        requestParameters={
            "integration.request.path.rest": "method.request.path.rest",
            "integration.request.header.x-added": "'static'",
            "integration.request.querystring.ip": "context.identity.sourceIp",
        },
    )
    got = json.loads(answer.body)
    assert got["target"] == "PUT /base/a%20b/c?x=1&x=2&y=%2F&ip=10.1.2.3"
    assert got["body"] == '{"a":1}'
    assert got["headers"]["x-own"] == ["me"]
    assert got["headers"]["x-added"] == ["static"]
    assert got["headers"]["cookie"] == ["k=v"]
    assert got["headers"]["user-agent"] == ["test/1"]
    assert got["headers"]["x-forwarded-for"] == ["10.1.2.3"]
    assert got["headers"]["x-amzn-apigateway-api-id"] == [api.id]
    assert got["headers"]["x-amzn-trace-id"][0].startswith("Root=1-")
    assert got["headers"]["host"][0].startswith("127.0.0.1:")
    # the server's own headers come back, those that are API Gateway's to set under another name
    assert answer.status == 200
    assert answer.headers["x-amzn-Remapped-Server"] == "origin"
    assert answer.headers["Content-Type"] == "application/json"
    assert [answer.headers["X-Two"], *answer.extra_headers] == ["a", ("X-Two", "b")]


@pytest.mark.parametrize(
    ("raw", "status", "body", "headers"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 302, b"", {"Location": "/x"}),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404, b"no", {}),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200, b"abc", {}),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", 200, b"to the end", {}),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", {}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff", 200, "\ufffd".encode(), {}),
    ],
)
def test_proxied_answers(api: Any, raw: bytes, status: int, body: bytes, headers: dict[str, str]) -> None:
    answer = through(api, saying(raw), "GET", "/", "/", type="HTTP_PROXY", uri="http://127.0.0.1:PORT/")
    assert (answer.status, answer.body) == (status, body)
    assert headers.items() <= answer.headers.items()


@pytest.mark.parametrize(
    ("reply", "uri", "status", "message"),
    [
        (None, "http://127.0.0.1:PORT/", 504, "Endpoint request timed out"),
        (echo, "http://127.0.0.1:1/", 504, "Network error communicating with endpoint"),
        (saying(b""), "http://127.0.0.1:PORT/", 504, "Network error communicating with endpoint"),
        (
            saying(b"SSH-2.0-x\r\n"),
            "http://127.0.0.1:PORT/",
            504,
            "Network error communicating with endpoint",
        ),
        (
            saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"),
            "http://127.0.0.1:PORT/",
            504,
            "Network error communicating with endpoint",
        ),
        (echo, "http://127.0.0.1:PORT/{gone}", 500, "Internal server error"),
        (echo, "http://${stageVariables.host}/", 500, "Internal server error"),
    ],
)
def test_failures(api: Any, reply: Reply | None, uri: str, status: int, message: str) -> None:
    answer = through(api, reply, "GET", "/", "/", type="HTTP_PROXY", uri=uri, timeoutInMillis=60)
    assert answer.status == status
    assert answer.body == json.dumps({"message": message}).encode()
    assert answer.headers["x-amzn-ErrorType"] == "InternalServerErrorException"


def test_stage_variables_in_the_uri(api: Any) -> None:
    answer = through(
        api, echo, "GET", "/", "/",
        variables={"path": "v7"}, type="HTTP_PROXY", uri="http://127.0.0.1:PORT/${stageVariables.path}",
    )  # fmt: skip
    assert json.loads(answer.body)["target"] == "GET /v7"


def test_custom_integrations_send_what_templates_and_mappings_say(api: Any) -> None:
    template = (
        "#set($context.requestOverride.header.x-over = 'o')#set($context.requestOverride.path.id = 'new')"
        "{\"name\": $input.json('$.user.name')}"
    )
    answer = through(
        api,
        echo,
        "POST",
        "/u/7?q=1&many=a&many=b",
        "/u/{id}",
        b'{"user":{"name":"Zoe"}}',
        headers={"content_type": "application/json", "x_own": "me"},
        type="HTTP",
        uri="http://127.0.0.1:PORT/users/{id}",
        requestTemplates={"application/json": template},
        requestParameters={
            "integration.request.path.id": "method.request.path.id",
            "integration.request.header.x-name": "method.request.body.user.name",
            "integration.request.querystring.many": "method.request.multivaluequerystring.many",
        },
        responses=[
            {
                "statusCode": "200",
                "responseParameters": {
                    "method.response.header.x-target": "integration.response.body.target",
                    "method.response.header.x-last": "integration.response.header.X-Two",
                    "method.response.header.x-all": "integration.response.multivalueheader.X-Two",
                },
                "responseTemplates": {"application/json": "$input.path('$.body')"},
            }
        ],
    )
    assert answer.body == b'{"name": "Zoe"}'
    assert answer.headers["x-target"] == "POST /users/new?many=a&many=b"
    assert answer.headers["x-last"] == "b"
    assert answer.headers["x-all"] == "a"
    assert ("x-all", "b") in answer.extra_headers
    assert "Server" not in answer.headers


def test_custom_requests_have_no_headers_of_the_client(api: Any) -> None:
    answer = through(
        api, echo, "GET", "/", "/",
        headers={"x_own": "me"}, type="HTTP", uri="http://127.0.0.1:PORT/", responses=[{"statusCode": "200"}],
    )  # fmt: skip
    headers = json.loads(answer.body)["headers"]
    assert "x-own" not in headers
    assert headers["user-agent"] == [f"AmazonAPIGateway_{api.id}"]
    assert headers["accept"] == ["application/json"]


@pytest.mark.parametrize(("status", "expected"), [(200, 200), (404, 404), (503, 502), (418, 200)])
def test_status_codes_choose_the_response(api: Any, status: int, expected: int) -> None:
    answer = through(
        api,
        saying(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()),
        "GET",
        "/",
        "/",
        type="HTTP",
        uri="http://127.0.0.1:PORT/",
        responses=[
            {"statusCode": "200"},
            {"statusCode": "404", "selectionPattern": "404"},
            {"statusCode": "502", "selectionPattern": "5\\d{2}"},
        ],
    )
    assert answer.status == expected


@pytest.mark.parametrize(
    ("handling", "accept", "body"),
    [
        (None, "image/png", b"\x89\x00"),
        (None, "text/html", b"iQA="),
        ("CONVERT_TO_BINARY", "text/html", b"\x89\x00"),
        ("CONVERT_TO_TEXT", "image/png", b"iQA="),
    ],
)
def test_binary_answers(make_api: Any, handling: str | None, accept: str, body: bytes) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 2\r\n\r\n\x89\x00"
    response = {"statusCode": "200", **({"contentHandling": handling} if handling else {})}
    answer = through(
        make_api(binaryMediaTypes=["image/png"]), saying(raw), "GET", "/", "/",
        headers={"accept": accept}, type="HTTP", uri="http://127.0.0.1:PORT/", responses=[response],
    )  # fmt: skip
    assert answer.body == body


@pytest.mark.parametrize(
    ("handling", "content_type", "sent", "arrived"),
    [
        (None, "image/png", b"\x89\x00", "\x89\x00"),
        ("CONVERT_TO_TEXT", "image/png", b"\x89\x00", "iQA="),
        ("CONVERT_TO_BINARY", "text/plain", b"iQA=", "\x89\x00"),
    ],
)
def test_binary_requests(
    make_api: Any, handling: str | None, content_type: str, sent: bytes, arrived: str
) -> None:
    members = {"contentHandling": handling} if handling else {}
    answer = through(
        make_api(binaryMediaTypes=["image/png"]), echo, "POST", "/", "/", sent,
        headers={"content_type": content_type}, type="HTTP", uri="http://127.0.0.1:PORT/",
        responses=[{"statusCode": "200"}], **members,
    )  # fmt: skip
    assert json.loads(answer.body)["body"] == arrived
