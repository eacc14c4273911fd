"""The service `dynamodbstreams`: ListStreams, DescribeStream, GetShardIterator, GetRecords."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import orjson

from pileus.cloud.kernel import Arn, AwsError, Call, Cloud, Row, Service, operation

from ..errors import ResourceNotFoundException, ValidationException
from .records import sequence_of, shard_id, shown_sequence

Request = Mapping[str, Any]
Result = dict[str, Any]
_MAX_RECORDS = 1000
_MAX_BYTES = 1024 * 1024
_ITERATOR_SECONDS = 15 * 60.0
_COLUMNS = "id,account,region,table_name,label,view,key_schema,created,ended,first,last"


class ExpiredIteratorException(AwsError):
    code = "ExpiredIteratorException"


class TrimmedDataAccessException(AwsError):
    code = "TrimmedDataAccessException"


class DynamoDbStreams(Service):
    name = "dynamodbstreams"
    opaque_shapes = frozenset({"AttributeValue"})

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        cloud.service("dynamodb")  # whose tables these are

    @operation("ListStreams")
    def list_streams(self, call: Call, request: Request) -> Result:
        limit = min(request.get("Limit", 100), 100)
        where, parameters = "account=? AND region=?", [call.account, call.region]
        if request.get("TableName") is not None:
            where += " AND table_name=?"
            parameters.append(request["TableName"])
        if (start := request.get("ExclusiveStartStreamArn")) is not None:
            where += " AND id>?"
            parameters.append(self._stream(call, start)["id"])
        rows = self.store.all(
            f"SELECT {_COLUMNS} FROM dynamodb_stream WHERE {where} ORDER BY id LIMIT ?",
            (*parameters, limit + 1),
        )
        streams = [
            {"StreamArn": _arn(row), "TableName": row["table_name"], "StreamLabel": row["label"]}
            for row in rows[:limit]
        ]
        more = len(rows) > limit
        return {"Streams": streams, "LastEvaluatedStreamArn": streams[-1]["StreamArn"] if more else None}

    @operation("DescribeStream")
    def describe_stream(self, call: Call, request: Request) -> Result:
        row = self._stream(call, request["StreamArn"])
        span = {"StartingSequenceNumber": shown_sequence(row["first"])}
        if row["ended"] is not None:
            span["EndingSequenceNumber"] = shown_sequence(row["last"])
        own = shard_id(row["id"], row["created"])
        shards = [{"ShardId": own, "SequenceNumberRange": span}]
        after, only = request.get("ExclusiveStartShardId"), request.get("ShardFilter")
        if after == own or (only is not None and only.get("Type") == "CHILD_SHARDS"):
            shards = []
        return {
            "StreamDescription": {
                "StreamArn": _arn(row),
                "StreamLabel": row["label"],
                "StreamStatus": "ENABLED" if row["ended"] is None else "DISABLED",
                "StreamViewType": row["view"],
                "CreationRequestDateTime": row["created"],
                "TableName": row["table_name"],
                "KeySchema": orjson.loads(row["key_schema"]),
                "Shards": shards,
            }
        }

    @operation("GetShardIterator")
    def get_shard_iterator(self, call: Call, request: Request) -> Result:
        row = self._stream(call, request["StreamArn"])
        if request["ShardId"] != shard_id(row["id"], row["created"]):
            raise ResourceNotFoundException(
                f"Requested resource not found: Shard: {request['ShardId']} in Stream:"
                f" {request['StreamArn']} not found"
            )
        return {"ShardIterator": _iterator(row, self._first(call, row, request), call.now)}

    def _first(self, call: Call, row: Row, request: Request) -> int:
        """The sequence number with which the iterator begins."""
        kind, given = request["ShardIteratorType"], request.get("SequenceNumber")
        if kind == "TRIM_HORIZON":
            return int(row["first"])
        if kind == "LATEST":
            last = self.store.one("SELECT seq FROM sqlite_sequence WHERE name='dynamodb_stream_record'")
            return 1 if last is None else int(last[0]) + 1
        if kind == "AT_TIMESTAMP":
            found = self.store.one(
                "SELECT min(sequence) FROM dynamodb_stream_record WHERE stream_id=? AND created>=?",
                (row["id"], request.get("Timestamp", call.now)),
            )
            return int(found[0]) if found is not None and found[0] is not None else int(row["first"])
        try:
            sequence = sequence_of(given or "")
        except ValueError:
            raise ValidationException(
                f"SequenceNumber must be specified for iterator type {kind}"
                if given is None
                else f"Invalid SequenceNumber: {given}"
            ) from None
        oldest = self.store.one(
            "SELECT min(sequence) FROM dynamodb_stream_record WHERE stream_id=?", (row["id"],)
        )
        if oldest is not None and oldest[0] is not None and row["first"] <= sequence < oldest[0]:
            raise TrimmedDataAccessException(
                "The operation attempted to read past the oldest stream record in a shard."
            )
        return sequence + 1 if kind == "AFTER_SEQUENCE_NUMBER" else sequence

    @operation("GetRecords")
    def get_records(self, call: Call, request: Request) -> Result:
        stream_id, first = self._position(call, request["ShardIterator"])
        row = self.store.one(f"SELECT {_COLUMNS} FROM dynamodb_stream WHERE id=?", (stream_id,))
        if row is None or (row["account"], row["region"]) != (call.account, call.region):
            raise ResourceNotFoundException("Requested resource not found: Stream not found")
        limit = min(request.get("Limit", _MAX_RECORDS), _MAX_RECORDS)
        records: list[Any] = []
        size = 0
        following = first
        for found in self.store.all(
            "SELECT sequence,record FROM dynamodb_stream_record WHERE stream_id=? AND sequence>=?"
            " ORDER BY sequence LIMIT ?",
            (stream_id, first, limit),
        ):
            size += len(found["record"])
            if records and size > _MAX_BYTES:
                break
            record = orjson.loads(found["record"])
            record["dynamodb"]["SequenceNumber"] = shown_sequence(found["sequence"])
            records.append(record)
            following = found["sequence"] + 1
        result: Result = {"Records": records}
        if row["ended"] is None or (following <= row["last"] and records):
            result["NextShardIterator"] = _iterator(row, following, call.now)
        return result

    def _position(self, call: Call, iterator: str) -> tuple[int, int]:
        try:
            stream_id, first, made = orjson.loads(urlsafe_b64decode(iterator.rsplit("|", 1)[1]))
        except (ValueError, IndexError):
            raise ValidationException("Invalid ShardIterator") from None
        if call.now - made > _ITERATOR_SECONDS:
            raise ExpiredIteratorException("The shard iterator has expired and can no longer be used")
        return int(stream_id), int(first)

    def _stream(self, call: Call, text: str) -> Row:
        try:
            arn = Arn.parse(text)
            _, name, _, label = arn.resource.split("/", 3)
        except ValueError:
            raise ValidationException(f"Invalid StreamArn: {text}") from None
        row = self.store.one(
            f"SELECT {_COLUMNS} FROM dynamodb_stream WHERE account=? AND region=? AND table_name=? AND label=?",
            (arn.account, arn.region, name, label),
        )
        if row is None:
            raise ResourceNotFoundException(f"Requested resource not found: Stream: {text} not found")
        return row


def _arn(row: Row) -> str:
    return (
        f"arn:aws:dynamodb:{row['region']}:{row['account']}:table/{row['table_name']}/stream/{row['label']}"
    )


def _iterator(row: Row, first: int, now: float) -> str:
    place = urlsafe_b64encode(orjson.dumps([row["id"], first, now])).decode()
    return f"{_arn(row)}|1|{place}"
