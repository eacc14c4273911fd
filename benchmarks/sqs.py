"""SQS: sending, receiving, and the whole life of a message (send, receive, delete), which wrk cannot chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import prepared
from .clouds import CONNECTIONS, Case, Rounds, measure, running
from .cycle import cycles
from .figures import Row, interleaved
from .run import Run

_BODY = "m" * 200
_FILLED = 1000
WANTED = {"moto": 5.0, "ministack": 2.0}


def _queue(client: Any, name: str) -> str:
    return str(client.create_queue(QueueName=name)["QueueUrl"])


def _set_up_send(client: Any) -> Mapping[str, str]:
    checked = _queue(client, "checked")
    sent = client.send_message(QueueUrl=checked, MessageBody=_BODY)["MessageId"]
    (message,) = client.receive_message(QueueUrl=checked, WaitTimeSeconds=2)["Messages"]
    assert (message["MessageId"], message["Body"]) == (sent, _BODY)
    client.delete_message(QueueUrl=checked, ReceiptHandle=message["ReceiptHandle"])
    return {"url": _queue(client, "sent")}


def _set_up_receive(client: Any) -> Mapping[str, str]:
    url = _queue(client, "received")
    for number in range(_FILLED // 10):
        entries = [{"Id": str(i), "MessageBody": f"{number}-{i} {_BODY}"} for i in range(10)]
        assert len(client.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 10
    return {"url": url}


CASES = (
    Case(
        "SendMessage",
        _set_up_send,
        lambda client, names, i: client.send_message(QueueUrl=names["url"], MessageBody=f"{i} {_BODY}"),
    ),
    Case(
        # What is received stays visible, so that the queue stays as full as it was.
        "ReceiveMessage of 1",
        _set_up_receive,
        lambda client, names, i: client.receive_message(QueueUrl=names["url"], VisibilityTimeout=0),
    ),
)


def run(run: Run) -> list[Row]:
    return measure(run, "sqs", "sqs", CASES, WANTED) + _life(run)


def _life(run: Run) -> list[Row]:
    rows = []
    with running(run, "sqs-cycle") as clouds:
        for connections in CONNECTIONS:
            run.say(f"sqs: send, receive, delete at {connections}")
            rounds = Rounds()
            urls = {}
            for cloud in clouds:
                try:
                    urls[cloud.label] = _queue(prepared.client("sqs", cloud.url), f"cycle-{connections}")
                except Exception as error:  # noqa: BLE001 - as in clouds.py
                    rounds.failures[cloud.label] = f"{type(error).__name__}: {error}"
            for number, label in interleaved(list(urls), run.rounds + 1):
                if label in rounds.failures:
                    continue
                try:
                    sample = cycles(
                        urls[label],
                        connections=connections,
                        seconds=run.seconds if number else min(1.0, run.seconds),
                    )
                except Exception as error:  # noqa: BLE001
                    rounds.failures[label] = f"{type(error).__name__}: {error}"
                    continue
                if number:
                    rounds.samples.setdefault(label, []).append(sample)
            case = f"send + receive + delete, {connections} connection{'s' if connections > 1 else ''}"
            rows.append(rounds.row("sqs", case, "/s", WANTED if connections == max(CONNECTIONS) else None))
    return rows
