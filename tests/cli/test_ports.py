"""The ports of `pileus offline`: which are taken, and what is said where somebody else has one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from offline_process import OfflineProcess, write_service

from pileus.cli.failure import UserError
from pileus.cli.ports import PORTS, Ports

DEFAULTS = {name: port for name, (_, port) in PORTS.items()}


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def ports(notes: list[str], given: set[str] = frozenset(), **wanted: int) -> Ports:  # type: ignore[assignment]
    return Ports("127.0.0.1", {**DEFAULTS, **wanted}, frozenset(given), notes.append)


def test_the_ports_that_users_of_serverless_offline_know() -> None:
    assert DEFAULTS == {
        "port": 4566,
        "http_port": 3000,
        "websocket_port": 3001,
        "lambda_port": 3002,
        "alb_port": 3003,
    }


@pytest.mark.parametrize(
    ("given", "wanted", "says"),
    [
        (set(), {}, None),
        (set(), {"http_port": 0, "port": 0}, None),
        ({"http_port"}, {"http_port": 4566}, "--http-port and --port are both 4566"),
        ({"lambda_port"}, {"lambda_port": 3000}, "--lambda-port and --http-port are both 3000"),
        ({"http_port"}, {"http_port": 3002}, None),  # the one that nobody named gives way
    ],
)
def test_the_same_port_twice(
    given: set[str], wanted: dict[str, int], says: str | None, notes: list[str]
) -> None:
    found = ports(notes, given, **wanted)
    if says is None:
        found.check()
    else:
        with pytest.raises(UserError, match=says):
            found.check()


def test_a_default_that_is_in_use_is_told_and_done_without(taken: int, notes: list[str]) -> None:
    found = ports(notes, lambda_port=taken)
    assert found.take_beside("lambda_port", "it answers elsewhere") is None
    assert notes == [f"port {taken} is in use: it answers elsewhere; --lambda-port takes another one"]


def test_a_port_that_was_named_and_is_in_use_is_a_mistake(taken: int, notes: list[str]) -> None:
    found = ports(notes, {"lambda_port"}, lambda_port=taken)
    with pytest.raises(UserError, match=f"port {taken} on 127.0.0.1 is in use"):
        found.take_beside("lambda_port", "")
    assert notes == []


def test_beside_a_free_http_port_the_others_are_free_ones_too(taken: int, notes: list[str]) -> None:
    found = ports(notes, http_port=0, lambda_port=taken)
    listener = found.take_beside("lambda_port", "")
    assert listener is not None
    assert listener.getsockname()[1] not in (0, taken)
    found.close()
    assert listener.fileno() == -1


def test_the_lambda_api_answers_on_its_port_too(tmp_path: Path) -> None:
    service = write_service(tmp_path / "service")
    with OfflineProcess(service, "--ephemeral") as offline:
        address = offline.events[-1]["lambda_api"]
        assert address not in (None, offline.endpoint)
        import boto3

        client = boto3.client(
            "lambda", endpoint_url=address, region_name="us-east-1", aws_access_key_id="test",
            aws_secret_access_key="test",
        )  # fmt: skip
        answer = client.invoke(FunctionName="small-dev-hello", Payload=b"{}")
        assert b'"body": "one"' in answer["Payload"].read().replace(b'":"', b'": "')
