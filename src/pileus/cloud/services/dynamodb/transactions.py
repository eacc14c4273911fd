"""TransactGetItems and TransactWriteItems: all or nothing, with a reason for each action when it is nothing."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from pileus.cloud.kernel import Call, operation

from .base import DynamoDbBase
from .binding import Bound
from .capacity import Consumption, read_units
from .errors import (
    ConditionalCheckFailedException,
    IdempotentParameterMismatchException,
    TransactionCanceledException,
    ValidationException,
)
from .keys import RowKey
from .storage import Stored
from .table import Table
from .writes import Check, Delete, Put, Update, Write

Request = Mapping[str, Any]
Result = dict[str, Any]
Reason = dict[str, Any]
_MAX_ACTIONS = 100
_MAX_BYTES = 4 * 1024 * 1024
_TOKEN_SECONDS = 600.0
_KINDS: dict[str, type[Put | Update | Delete | Check]] = {
    "ConditionCheck": Check,
    "Put": Put,
    "Delete": Delete,
    "Update": Update,
}


class Transactions(DynamoDbBase):
    @operation("TransactWriteItems")
    def transact_write_items(self, call: Call, request: Request) -> Result:
        actions = request["TransactItems"]
        _check_count(actions)
        token = request.get("ClientRequestToken")
        fingerprint = b""
        if token is not None:
            fingerprint = _fingerprint(request)
            known = self._answered(call, token, fingerprint)
            if known is not None:
                return known
        writes = [self._action(action) for action in actions]
        tables = [self.table(call, spec["TableName"]) for _, spec in writes]
        befores = self._locate_and_test([write for write, _ in writes], tables)
        result = self._carry_out(request, [write for write, _ in writes], befores)
        if token is not None:
            self.store.execute(
                "INSERT INTO dynamodb_token VALUES (?,?,?,?,?,?)",
                (
                    call.account,
                    call.region,
                    token,
                    call.now + _TOKEN_SECONDS,
                    fingerprint,
                    orjson.dumps(result),
                ),
            )
        return result

    def _action(self, action: Mapping[str, Any]) -> tuple[Write, Mapping[str, Any]]:
        given = [kind for kind in _KINDS if action.get(kind) is not None]
        if len(given) != 1:
            raise ValidationException("TransactItems can only contain one of Check, Put, Update or Delete")
        spec: Mapping[str, Any] = action[given[0]]
        return _KINDS[given[0]](self.expressions, spec), spec

    def _answered(self, call: Call, token: str, fingerprint: bytes) -> Result | None:
        """What the same request was answered with in the last ten minutes."""
        self.store.execute("DELETE FROM dynamodb_token WHERE expires<=?", (call.now,))
        row = self.store.one(
            "SELECT request,result FROM dynamodb_token WHERE account=? AND region=? AND token=?",
            (call.account, call.region, token),
        )
        if row is None:
            return None
        if row[0] != fingerprint:
            raise IdempotentParameterMismatchException(
                "The request uses the same client token as a previous, but non-identical request."
                " Do not reuse a client token with different requests, unless the requests are identical"
            )
        known: Result = orjson.loads(row[1])
        for used in known.get("ConsumedCapacity", ()):  # the second time only reads
            units = used.pop("WriteCapacityUnits", None)
            if units is not None:
                used["ReadCapacityUnits"] = units
        return known

    def _locate_and_test(self, writes: list[Write], tables: list[Table]) -> list[Stored | None]:
        reasons: list[Reason] = []
        seen: set[tuple[int, RowKey]] = set()
        befores: list[Stored | None] = []
        for write, table in zip(writes, tables, strict=True):
            try:
                write.locate(table)
            except ValidationException as error:
                reasons.append({"Code": "ValidationError", "Message": error.message})
                befores.append(None)
                continue
            if (table.id, write.key) in seen:
                raise ValidationException(
                    "Transaction request cannot include multiple operations on one item"
                )
            seen.add((table.id, write.key))
            before = self.rows.read(table, write.key)
            befores.append(before)
            reasons.append(_reason(write, before))
        _cancel_if_any(reasons)
        return befores

    def _carry_out(self, request: Request, writes: list[Write], befores: list[Stored | None]) -> Result:
        mode = request.get("ReturnConsumedCapacity")
        consumed: dict[int, Consumption] = {}
        metrics: Result = {}
        reasons: list[Reason] = []
        total = 0
        for write, before in zip(writes, befores, strict=True):
            after = before
            try:
                if not isinstance(write, Check):
                    after = self.perform(write, before)
                reasons.append({"Code": "None"})
            except ValidationException as error:
                reasons.append({"Code": "ValidationError", "Message": error.message})
            total += after.size if after is not None else 0
            used = consumed.setdefault(write.table.id, Consumption(mode, write.table))
            used.wrote(before, after, 2.0)
            if request.get("ReturnItemCollectionMetrics") == "SIZE":
                found = self.collection_metrics(write)
                if found is not None:
                    metrics.setdefault(write.table.name, []).append(found)
        _cancel_if_any(reasons)
        if total > _MAX_BYTES:
            raise ValidationException("Collection size of items in the transaction exceeds the limit of 4 MB")
        result: Result = {}
        if mode in ("TOTAL", "INDEXES"):
            result["ConsumedCapacity"] = [used.result("Write") for used in consumed.values()]
        if metrics:
            result["ItemCollectionMetrics"] = metrics
        return result

    @operation("TransactGetItems")
    def transact_get_items(self, call: Call, request: Request) -> Result:
        actions = request["TransactItems"]
        _check_count(actions)
        planned = []
        for action in actions:
            spec = action["Get"]
            bound = Bound(self.expressions, spec, ("ProjectionExpression",))
            projection = bound.projection()
            bound.finish()
            planned.append((spec, projection))
        mode = request.get("ReturnConsumedCapacity")
        reasons: list[Reason] = []
        responses: list[Result] = []
        consumed: dict[int, Consumption] = {}
        seen: set[tuple[int, RowKey]] = set()
        for spec, projection in planned:
            table = self.table(call, spec["TableName"])
            try:
                _, key = table.take_key(spec["Key"])
            except ValidationException as error:
                reasons.append({"Code": "ValidationError", "Message": error.message})
                continue
            if (table.id, key) in seen:
                raise ValidationException(
                    "Transaction request cannot include multiple operations on one item"
                )
            seen.add((table.id, key))
            reasons.append({"Code": "None"})
            stored = self.rows.read(table, key)
            used = consumed.setdefault(table.id, Consumption(mode, table))
            used.read(2 * read_units(stored.size if stored else 0, True))
            if stored is None:
                responses.append({})
            else:
                shown = self.shown(call, stored) if projection is None else projection[0](stored.item)
                responses.append({"Item": shown})
        _cancel_if_any(reasons)
        result: Result = {"Responses": responses}
        if mode in ("TOTAL", "INDEXES"):
            result["ConsumedCapacity"] = [used.result("Read") for used in consumed.values()]
        return result


def _reason(write: Write, before: Stored | None) -> Reason:
    try:
        write.check(before)
    except ConditionalCheckFailedException as error:
        return {"Code": "ConditionalCheckFailed", "Message": error.message, **error.members}
    return {"Code": "None"}


def _cancel_if_any(reasons: list[Reason]) -> None:
    if any(reason["Code"] != "None" for reason in reasons):
        codes = ", ".join(reason["Code"] for reason in reasons)
        raise TransactionCanceledException(
            f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
            CancellationReasons=reasons,
        )


def _check_count(actions: list[Any]) -> None:
    if not 1 <= len(actions) <= _MAX_ACTIONS:
        sign = "greater than or equal to 1" if not actions else f"less than or equal to {_MAX_ACTIONS}"
        raise ValidationException(
            f"1 validation error detected: Value '{actions}' at 'transactItems' failed to satisfy constraint:"
            f" Member must have length {sign}"
        )


def _fingerprint(request: Request) -> bytes:
    body = {name: request.get(name) for name in ("TransactItems",)}
    return blake2b(orjson.dumps(body, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
