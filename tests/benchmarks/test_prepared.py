"""Requests that are prepared for a load are what boto3 sends, and are accepted by the cloud that checks signatures."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import prepared
from benchmarks.cycle import cycles
from pileus.testing import EmbeddedCloud


@pytest.fixture(scope="module")
def cloud() -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud() as running:
        yield running


def send(cloud: EmbeddedCloud, request: bytes) -> int:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    host = cloud.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request(method, target, body, dict(line.split(": ", 1) for line in lines))
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_prepared_request_is_the_signed_call(cloud: EmbeddedCloud) -> None:
    requests = prepared.capture(
        "sqs", cloud.url, lambda client, i: client.create_queue(QueueName=f"prepared-{i}"), 2
    )
    assert [send(cloud, request) for request in requests] == [200, 200]
    urls = cloud.client("sqs").list_queues(QueueNamePrefix="prepared-")["QueueUrls"]
    assert [url.rpartition("/")[2] for url in urls] == ["prepared-0", "prepared-1"]
    assert send(cloud, requests[0].replace(b"prepared-0", b"prepared-9")) == 403


def test_headers_that_wrk_cannot_answer_are_left_out(cloud: EmbeddedCloud) -> None:
    (request,) = prepared.capture(
        "s3", cloud.url, lambda client, i: client.put_object(Bucket="b", Key="k", Body=b"content"), 1
    )
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /b/k HTTP/1.1\r\n")
    assert b"\r\nContent-Length: 7" in head
    assert b"expect:" not in head.lower()
    assert body == b"content"


def test_the_file_is_lengths_and_requests(tmp_path: Path) -> None:
    path = prepared.write(tmp_path / "requests", [b"ab", b"c" * 300])
    assert path.read_bytes() == b"\0\0\0\2ab" + b"\0\0\1\x2c" + b"c" * 300


def test_the_cycle_sends_receives_and_deletes(cloud: EmbeddedCloud) -> None:
    client = cloud.client("sqs")
    url = client.create_queue(QueueName="cycle")["QueueUrl"]
    sample = cycles(url, connections=2, seconds=0.2)
    assert sample.value > 0
    assert sample.p50 is not None and sample.p99 is not None and sample.p50 <= sample.p99
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "0"
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
