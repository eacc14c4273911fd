"""S3: objects of 10 KB, and a listing of 1,000 keys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from .clouds import Case, measure
from .figures import Row
from .run import Run

_BUCKET = "bench"
_LISTED = "bench-listed"
_KEYS = 1000
_OBJECTS = 200
WANTED = {"moto": 5.0, "ministack": 2.0}


def _content(number: int) -> bytes:
    """10 KB that differ from object to object."""
    return (hashlib.sha256(str(number).encode()).hexdigest().encode() * 160)[:10240]


def _bucket(client: Any, name: str) -> bool:
    """Whether it was made now."""
    if name in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
        return False
    client.create_bucket(Bucket=name)
    return True


def _set_up_put(client: Any) -> Mapping[str, str]:
    _bucket(client, _BUCKET)
    client.put_object(Bucket=_BUCKET, Key="check/put", Body=_content(1))
    assert client.get_object(Bucket=_BUCKET, Key="check/put")["Body"].read() == _content(1)
    return {}


def _set_up_get(client: Any) -> Mapping[str, str]:
    _bucket(client, _BUCKET)
    for number in range(_OBJECTS):
        client.put_object(Bucket=_BUCKET, Key=f"read/{number}", Body=_content(number))
    assert client.get_object(Bucket=_BUCKET, Key="read/42")["Body"].read() == _content(42)
    return {}


def _set_up_list(client: Any) -> Mapping[str, str]:
    if _bucket(client, _LISTED):
        for number in range(_KEYS):
            client.put_object(Bucket=_LISTED, Key=f"a/{number:05d}", Body=b"x")
    page = client.list_objects_v2(Bucket=_LISTED)
    assert [entry["Key"] for entry in page["Contents"]] == [f"a/{number:05d}" for number in range(_KEYS)]
    return {}


CASES = (
    Case(
        "PutObject of 10 KB",
        _set_up_put,
        lambda client, _, i: client.put_object(
            Bucket=_BUCKET, Key=f"write/{i % _OBJECTS}", Body=_content(i % _OBJECTS)
        ),
    ),
    Case(
        "GetObject of 10 KB",
        _set_up_get,
        lambda client, _, i: client.get_object(Bucket=_BUCKET, Key=f"read/{i % _OBJECTS}"),
    ),
    Case(
        "ListObjectsV2 of 1,000 keys",
        _set_up_list,
        lambda client, _, i: client.list_objects_v2(Bucket=_LISTED),
    ),
)


def run(run: Run) -> list[Row]:
    return measure(run, "s3", "s3", CASES, WANTED)
