"""`kill -9` of a server under load: what was answered is there afterwards, and whole; what was not is there or not,
and whole as well."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
from collections.abc import Callable
from typing import Any

from .processes import ACCOUNT, PILEUS, Answers, Process, State, until

THREADS = 4


class Known:
    """What one name may hold after the kills: the value of the last answered write, or of one that was under way."""

    def __init__(self) -> None:
        self.values: list[Any] = [None]

    def write(self, value: Any, send: Callable[..., Any], *arguments: Any, **request: Any) -> Any:
        self.values.append(value)
        answer = send(*arguments, **request)  # Killed leaves both possible
        self.values = [value]
        return answer

    def check(self, found: Any) -> None:
        assert found in self.values
        self.values = [found]


# -- DynamoDB ------------------------------------------------------------------------------------------------------------


def _create_table(server: Process) -> None:
    server.client("dynamodb").create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "version", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-version",
                "KeySchema": [
                    {"AttributeName": "version", "KeyType": "HASH"},
                    {"AttributeName": "id", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def _item(key: str, version: int) -> dict[str, Any]:
    return {"id": {"S": key}, "version": {"N": str(version)}, "text": {"S": f"{key}-{version}" * 20}}


class _DynamoDbWriter:
    """One thread with keys of its own: puts, deletes, and pairs that are written together."""

    def __init__(self, number: int, known: dict[str, Known], pairs: dict[str, Known]) -> None:
        self._number, self._known, self._pairs = number, known, pairs
        self._version = 0

    def work(self, client: Any, ask: Answers, dice: random.Random) -> None:
        while True:
            self._version += 1
            key, version = f"{self._number}-{dice.randrange(5)}", self._version
            kind = dice.random()
            if kind < 0.4:
                self._known.setdefault(key, Known()).write(
                    version, ask, client.put_item, TableName="table", Item=_item(key, version)
                )
            elif kind < 0.55:
                self._known.setdefault(key, Known()).write(
                    None, ask, client.delete_item, TableName="table", Key={"id": {"S": key}}
                )
            else:
                self._pairs.setdefault(key, Known()).write(
                    version,
                    ask,
                    client.transact_write_items,
                    TransactItems=[
                        {"Put": {"TableName": "table", "Item": _item(f"{side}-{key}", version)}}
                        for side in ("left", "right", "middle")
                    ],
                )


def test_dynamodb_keeps_what_it_answered_and_nothing_half(state: State) -> None:
    known: dict[str, Known] = {}
    pairs: dict[str, Known] = {}
    writers = [_DynamoDbWriter(number, known, pairs) for number in range(THREADS)]
    for turn, answers in enumerate((23, 90, 151, 0)):
        with state.cloud() as server:
            if turn == 0:
                _create_table(server)
            _check_table(server.client("dynamodb"), known, pairs)
            if answers:
                ask = Answers(server, answers)
                ask.run(
                    [
                        lambda w=writer, n=n, s=server, a=ask, t=turn: w.work(
                            s.client("dynamodb"), a, random.Random(10 * t + n)
                        )
                        for n, writer in enumerate(writers)
                    ]
                )
    assert len(known) > THREADS
    assert len(pairs) > THREADS


def _check_table(client: Any, known: dict[str, Known], pairs: dict[str, Known]) -> None:
    items = {item["id"]["S"]: item for item in client.scan(TableName="table", ConsistentRead=True)["Items"]}
    for key, item in items.items():
        assert item == _item(key, int(item["version"]["N"]))
    versions = {key: int(item["version"]["N"]) for key, item in items.items()}
    for key, value in known.items():
        value.check(versions.get(key))
    for key, value in pairs.items():
        sides = {versions.get(f"{side}-{key}") for side in ("left", "right", "middle")}
        assert len(sides) == 1, f"a transaction is there by half: {sides}"
        value.check(sides.pop())
    index = client.scan(TableName="table", IndexName="by-version")["Items"]
    assert sorted(item["id"]["S"] for item in index) == sorted(items)
    assert all(item == items[item["id"]["S"]] for item in index)
    assert client.describe_table(TableName="table")["Table"]["ItemCount"] == len(items)


# -- SQS -----------------------------------------------------------------------------------------------------------------


def test_sqs_keeps_what_it_answered(state: State) -> None:
    sent: dict[str, str] = {}  # message id → body
    deleted: set[str] = set()
    unknown: set[str] = set()  # bodies of which nobody knows whether they were sent or deleted

    def work(client: Any, ask: Answers, dice: random.Random, name: str) -> None:
        url = client.get_queue_url(QueueName="q")["QueueUrl"]
        for count in range(10_000):
            body = f"{name}-{count}"
            unknown.add(body)
            if dice.random() < 0.5:
                answer = ask(client.send_message, QueueUrl=url, MessageBody=body)
                assert answer["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest()
                unknown.discard(body)
                sent[answer["MessageId"]] = body
                continue
            entries = [{"Id": str(n), "MessageBody": f"{body}.{n}"} for n in range(3)]
            unknown.update(entry["MessageBody"] for entry in entries)
            for entry in ask(client.send_message_batch, QueueUrl=url, Entries=entries)["Successful"]:
                unknown.discard(f"{body}.{entry['Id']}")
                sent[entry["MessageId"]] = f"{body}.{entry['Id']}"
            received = ask(client.receive_message, QueueUrl=url, MaxNumberOfMessages=2, VisibilityTimeout=60)
            for message in received.get("Messages", []):
                unknown.add(message["Body"])
                ask(client.delete_message, QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                deleted.add(message["Body"])
                unknown.discard(message["Body"])

    for turn, answers in enumerate((40, 120)):
        with state.cloud() as server:
            server.client("sqs").create_queue(QueueName="q", Attributes={"VisibilityTimeout": "60"})
            ask = Answers(server, answers)
            ask.run(
                [
                    lambda n=n, s=server, a=ask, t=turn: work(
                        s.client("sqs"), a, random.Random(10 * t + n), f"{t}-{n}"
                    )
                    for n in range(THREADS)
                ]
            )
    with state.cloud() as server:
        client = server.client("sqs")
        url = client.get_queue_url(QueueName="q")["QueueUrl"]
        server.travel(61)  # what was received and not deleted comes again
        found: dict[str, str] = {}
        while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                assert message["MessageId"] not in found
                assert message["MD5OfBody"] == hashlib.md5(message["Body"].encode()).hexdigest()
                found[message["MessageId"]] = message["Body"]
        for message_id, body in sent.items():
            if body in deleted:
                assert message_id not in found
            elif body not in unknown:
                assert found[message_id] == body
        assert set(found.values()) <= (set(sent.values()) | unknown) - deleted
        assert len(sent) > 50
        assert len(deleted) > 10


# -- S3 ------------------------------------------------------------------------------------------------------------------

SIZES = (0, 10, 65_536, 65_537, 300_000)  # in the row, and as files


def _content(key: str, version: int, size: int) -> bytes:
    return random.Random(f"{key}.{version}").randbytes(size)


def _multipart(client: Any, ask: Answers, key: str, parts: list[bytes]) -> str:
    place = {"Bucket": "bucket", "Key": key}
    upload = ask(client.create_multipart_upload, **place)["UploadId"]
    etags = [
        ask(client.upload_part, **place, UploadId=upload, PartNumber=number, Body=part)["ETag"]
        for number, part in enumerate(parts, 1)
    ]
    listed = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    done = ask(client.complete_multipart_upload, **place, UploadId=upload, MultipartUpload={"Parts": listed})
    return str(done["ETag"])


def test_s3_keeps_what_it_answered_and_no_garbage(state: State) -> None:
    known: dict[str, Known] = {}
    contents: dict[tuple[str, str], bytes] = {}  # (key, etag) → bytes

    def work(client: Any, ask: Answers, dice: random.Random, name: int, turn: int) -> None:
        for version in range(10_000):
            key = f"{name}/{dice.randrange(6)}"
            held = known.setdefault(key, Known())
            kind = dice.random()
            if kind < 0.2:
                parts = [_content(key, turn * 10_000 + version, 5 * 1024 * 1024), b"the last part"]
                digests = b"".join(hashlib.md5(part).digest() for part in parts)
                etag = f'"{hashlib.md5(digests).hexdigest()}-2"'
                contents[key, etag] = b"".join(parts)
                assert held.write(etag, _multipart, client, ask, key, parts) == etag
            elif kind < 0.35:
                held.write(None, ask, client.delete_object, Bucket="bucket", Key=key)
            else:
                body = _content(key, turn * 10_000 + version, dice.choice(SIZES))
                etag = f'"{hashlib.md5(body).hexdigest()}"'
                contents[key, etag] = body
                answer = held.write(etag, ask, client.put_object, Bucket="bucket", Key=key, Body=body)
                assert answer["ETag"] == etag

    for turn, answers in enumerate((15, 60, 0)):
        with state.cloud() as server:
            client = server.client("s3")
            if turn == 0:
                client.create_bucket(Bucket="bucket")
            found = {
                item["Key"]: item for item in client.list_objects_v2(Bucket="bucket").get("Contents", [])
            }
            for key, value in known.items():
                value.check(found[key]["ETag"] if key in found else None)
            for key, item in found.items():
                answer = client.get_object(Bucket="bucket", Key=key)
                assert answer["ETag"] == item["ETag"]
                assert answer["Body"].read() == contents[key, item["ETag"]]
            if answers:
                ask = Answers(server, answers)
                ask.run(
                    [
                        lambda n=n, s=server, a=ask, t=turn: work(
                            s.client("s3"), a, random.Random(10 * t + n), n, t
                        )
                        for n in range(THREADS)
                    ]
                )
                continue
            _empty(client)
            assert _blobs(state) == []  # all of them were known to somebody
    assert len(contents) > 20


def _empty(client: Any) -> None:
    for item in client.list_objects_v2(Bucket="bucket").get("Contents", []):
        client.delete_object(Bucket="bucket", Key=item["Key"])
    for upload in client.list_multipart_uploads(Bucket="bucket").get("Uploads", []):
        client.abort_multipart_upload(Bucket="bucket", Key=upload["Key"], UploadId=upload["UploadId"])
    client.delete_bucket(Bucket="bucket")


def _blobs(state: State) -> list[str]:
    return [str(path) for path in (state.path / "blobs").rglob("*") if path.is_file()]


def test_s3_forgets_an_upload_that_was_cut_off(state: State) -> None:
    import socket
    from urllib.parse import urlsplit

    with state.cloud() as server:
        client = server.client("s3")
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="k", Body=b"before" * 20_000)
        url = urlsplit(client.generate_presigned_url("put_object", Params={"Bucket": "bucket", "Key": "k"}))
        with socket.create_connection((url.hostname, url.port)) as connection:
            head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 9000000\r\n\r\n"
            connection.sendall(head.encode() + b"x" * 4_000_000)
            incoming = state.path / "blobs" / "incoming"
            until(lambda: any(path.stat().st_size > 0 for path in incoming.iterdir()))
            server.kill()
    with state.cloud() as server:
        assert len(_blobs(state)) == 1
        assert server.client("s3").get_object(Bucket="bucket", Key="k")["Body"].read() == b"before" * 20_000


# -- what is small, killed at each answer -------------------------------------------------------------------------------

_TEMPLATE = {
    "Resources": {
        **{
            f"Queue{n}": {"Type": "AWS::SQS::Queue", "DependsOn": [f"Queue{n - 1}"] if n else []}
            for n in range(8)
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            },
        },
        "Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/stack/url", "Type": "String", "Value": {"Ref": "Queue7"}},
        },
    },
    "Outputs": {"Url": {"Value": {"Ref": "Queue7"}}},
}


def test_small_things_survive_a_kill_at_their_answer(state: State) -> None:
    with state.cloud() as server:
        iam = server.client("iam")
        iam.create_user(UserName="u")
        key = iam.create_access_key(UserName="u")["AccessKey"]
        server.client("ssm").put_parameter(Name="/p", Value="v", Type="SecureString")
        secret = server.client("secretsmanager").create_secret(Name="s", SecretString="first")["ARN"]
        server.client("secretsmanager").put_secret_value(SecretId="s", SecretString="second")
        server.client("logs").create_log_group(logGroupName="/g")
        server.client("cloudformation").create_stack(StackName="st", TemplateBody=json.dumps(_TEMPLATE))
        server.kill()
    with state.cloud() as server:
        keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        assert server.client("sts", **keys).get_caller_identity()["Arn"].endswith(":user/u")
        parameter = server.client("ssm").get_parameter(Name="/p", WithDecryption=True)["Parameter"]
        assert (parameter["Value"], parameter["Version"]) == ("v", 1)
        value = server.client("secretsmanager").get_secret_value(SecretId="s")
        assert (value["SecretString"], value["ARN"]) == ("second", secret)
        assert [g["logGroupName"] for g in server.client("logs").describe_log_groups()["logGroups"]] == ["/g"]
        server.drain()
        stack = server.client("cloudformation").describe_stacks(StackName="st")["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        url = stack["Outputs"][0]["OutputValue"]
        assert server.client("ssm").get_parameter(Name="/stack/url")["Parameter"]["Value"] == url
        assert len(server.client("sqs").list_queues()["QueueUrls"]) == 8


def test_a_stack_goes_on_after_kills_between_its_steps(state: State) -> None:
    with state.cloud() as server:
        server.client("cloudformation").create_stack(StackName="st", TemplateBody=json.dumps(_TEMPLATE))
        server.kill()
    for resources in (2, 5):
        with state.cloud() as server:
            client = server.client("cloudformation")
            until(lambda client=client, resources=resources: _made(client) >= resources)
            server.kill()
    with state.cloud() as server:
        server.drain()
        client = server.client("cloudformation")
        assert client.describe_stacks(StackName="st")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
        assert _made(client) == 10
        assert len(server.client("sqs").list_queues()["QueueUrls"]) == 8  # none twice


def _made(client: Any) -> int:
    found = client.describe_stack_resources(StackName="st")["StackResources"]
    return sum(resource["ResourceStatus"] == "CREATE_COMPLETE" for resource in found)


def test_a_kill_while_the_state_is_made_or_opened_leaves_it_usable(state: State) -> None:
    for _ in range(3):
        server = state.cloud()
        until((state.path / "state.db").exists)
        server.kill()
    with state.cloud() as server:
        server.client("sqs").create_queue(QueueName="q")
        server.kill()
    wal = state.path / "state.db-wal"
    assert wal.stat().st_size > 0
    with state.cloud() as server:
        assert server.client("sqs").list_queues()["QueueUrls"] == [f"{server.url}/{ACCOUNT}/q"]
        assert server.interrupt() == 0
    assert not wal.exists()
    assert state.errors() == ""


def test_one_process_a_state_folder(state: State) -> None:
    with state.cloud() as server:
        second = subprocess.run(
            [PILEUS, "cloud", "--state", str(state.path), "--port", "0"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert second.returncode == 2
        assert second.stderr.startswith(f"error: {state.path} is in use by process {server.popen.pid}.\n")
        assert "--state DIR" in second.stderr
        assert second.stdout == ""
        server.client("sqs").create_queue(QueueName="still-works")
        server.kill()
    with state.cloud() as server:
        assert len(server.client("sqs").list_queues()["QueueUrls"]) == 1
