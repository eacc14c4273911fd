"""Tables: create, describe, update, delete, list; the filling of new indexes and the clearing away of old ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from pileus.cloud.kernel import Call, Job, consumer, operation

from .base import DynamoDbBase, limit_of
from .definition import (
    billing,
    check_all_used,
    check_name,
    check_throughput,
    global_index,
    new_definition,
    refuse_not_emulated,
    stream_view,
)
from .description import describe
from .errors import (
    LimitExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
    ValidationException,
    invalid_value,
)
from .keys import RowKey
from .streams.records import TRIM_TOPIC
from .table import Index, Table

Request = Mapping[str, Any]
Result = dict[str, Any]
_AT_ONCE = 500  # items that an index takes in within one transaction


class Tables(DynamoDbBase):
    @operation("CreateTable")
    def create_table(self, call: Call, request: Request) -> Result:
        definition = new_definition(request)
        view = stream_view(request)
        name = request["TableName"]
        if self.find_table(call, name) is not None:
            raise ResourceInUseException(f"Table already exists: {name}")
        definition["TableId"] = self.ids.uuid()
        if definition["BillingMode"] == "PAY_PER_REQUEST":
            definition["LastUpdateToPayPerRequestDateTime"] = call.now
        for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
            for index in definition.get(member, ()):
                index["Id"] = self._new_id()
        table_id = self._new_id()
        if view is not None:
            place = (table_id, call.account, call.region, name)
            definition["Stream"] = self.streams.open(*place, definition["KeySchema"], view)
        self.store.execute(
            "INSERT INTO dynamodb_table VALUES (?,?,?,?,?,?)",
            (table_id, call.account, call.region, name, call.now, orjson.dumps(definition)),
        )
        self.forget_tables()
        table = self.described_table(call, name)
        return {"TableDescription": describe(table, self._sizes, status="CREATING", index_status="CREATING")}

    def _new_id(self) -> int:
        return int(self.store.execute("INSERT INTO dynamodb_size DEFAULT VALUES").lastrowid or 0)

    def _sizes(self, owner: int) -> tuple[int, int]:
        row = self.store.one("SELECT items,bytes FROM dynamodb_size WHERE id=?", (owner,))
        return (0, 0) if row is None else (row[0], row[1])

    @operation("DescribeTable", reads=True)
    def describe_table(self, call: Call, request: Request) -> Result:
        return {"Table": describe(self.described_table(call, request["TableName"]), self._sizes)}

    @operation("ListTables", reads=True)
    def list_tables(self, call: Call, request: Request) -> Result:
        limit = min(limit_of(request) or 100, 100)
        start = request.get("ExclusiveStartTableName")
        if start is not None:
            check_name(start)
        rows = self.store.all(
            "SELECT name FROM dynamodb_table WHERE account=? AND region=? AND name>? ORDER BY name LIMIT ?",
            (call.account, call.region, start or "", limit + 1),
        )
        names = [row[0] for row in rows[:limit]]
        last = names[-1] if len(rows) > limit else None
        return {"TableNames": names, "LastEvaluatedTableName": last}

    @operation("DeleteTable")
    def delete_table(self, call: Call, request: Request) -> Result:
        table = self.described_table(call, request["TableName"])
        if table.definition.get("DeletionProtectionEnabled"):
            raise ValidationException(
                "Resource cannot be deleted as it is currently protected against deletion."
                " Disable deletion protection first."
            )
        description = describe(table, self._sizes, status="DELETING", index_status="DELETING")
        self.store.execute("DELETE FROM dynamodb_table WHERE id=?", (table.id,))
        self.sweeps.cancel(table.id)
        if table.stream is not None:
            self.streams.close(table.stream["Id"])
        self.forget_tables()
        for owner in (table.id, *(index.id for index in table.indexes.values())):
            self._clear_away(owner)
        return {"TableDescription": description}

    # -- update -----------------------------------------------------------------------------------------------------

    @operation("UpdateTable")
    def update_table(self, call: Call, request: Request) -> Result:
        refuse_not_emulated("UpdateTable", request)
        table = self.described_table(call, request["TableName"])
        changes = [name for name in request if name not in ("TableName", "AttributeDefinitions")]
        if not changes:
            raise invalid_value(
                "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled,"
                " GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required"
            )
        definition = orjson.loads(orjson.dumps(table.definition))
        self._update_billing(call, definition, request)
        for member in ("DeletionProtectionEnabled", "TableClass", "OnDemandThroughput", "WarmThroughput"):
            if request.get(member) is not None:
                definition[member] = request[member]
        if request.get("SSESpecification") is not None:
            definition["SSESpecification"] = request["SSESpecification"]
        dropped = self._update_indexes(definition, request)
        self._update_stream(table, definition, request)
        table.definition = definition
        updated = self.save_definition(table)
        self._fill_new(updated)
        updated = self.described_table(call, request["TableName"])
        description = describe(updated, self._sizes, status="UPDATING")
        for index in dropped:
            self._clear_away(index["Id"])
        return {"TableDescription": _while_changing(description, request)}

    def _update_billing(self, call: Call, definition: dict[str, Any], request: Request) -> None:
        mode = request.get("BillingMode")
        throughput = request.get("ProvisionedThroughput")
        if mode == "PAY_PER_REQUEST" or (mode is None and throughput is None):
            if mode is not None:
                definition.update(billing(request))
                definition["LastUpdateToPayPerRequestDateTime"] = call.now
                for index in definition.get("GlobalSecondaryIndexes", ()):
                    index["ProvisionedThroughput"] = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
            return
        if mode is None and definition["BillingMode"] == "PAY_PER_REQUEST":
            raise invalid_value(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is"
                " PAY_PER_REQUEST"
            )
        if throughput is None:
            if definition["BillingMode"] == "PROVISIONED":
                return
            definition.update(billing({"BillingMode": mode}))
            return
        if mode is None or definition["BillingMode"] == "PROVISIONED":
            current = definition["ProvisionedThroughput"]
            same = all(current[k] == throughput[k] for k in ("ReadCapacityUnits", "WriteCapacityUnits"))
            if same and not request.get("GlobalSecondaryIndexUpdates"):
                raise ValidationException(
                    "The provisioned throughput for the table will not change. The requested value equals the"
                    f" current value. Current ReadCapacityUnits provisioned for the table:"
                    f" {current['ReadCapacityUnits']}. Requested ReadCapacityUnits:"
                    f" {throughput['ReadCapacityUnits']}. Current WriteCapacityUnits provisioned for the table:"
                    f" {current['WriteCapacityUnits']}. Requested WriteCapacityUnits:"
                    f" {throughput['WriteCapacityUnits']}. Refer to the Amazon DynamoDB Developer Guide for"
                    " current limits and how to request higher limits."
                )
        definition.update(billing({"BillingMode": "PROVISIONED", "ProvisionedThroughput": throughput}))

    def _update_indexes(self, definition: dict[str, Any], request: Request) -> list[dict[str, Any]]:
        """Puts the index changes into the definition; gives the indexes that go."""
        updates = request.get("GlobalSecondaryIndexUpdates") or ()
        indexes: dict[str, Any] = {i["IndexName"]: i for i in definition.get("GlobalSecondaryIndexes", ())}
        dropped: list[dict[str, Any]] = []
        given = {d["AttributeName"]: d for d in request.get("AttributeDefinitions") or ()}
        known = {d["AttributeName"]: d for d in definition["AttributeDefinitions"]}
        for name, attribute in given.items():
            if name in known and known[name]["AttributeType"] != attribute["AttributeType"]:
                raise invalid_value(f"Cannot change the type of an existing key attribute: {name}")
        attributes = {**known, **given}
        if sum(1 for u in updates if u.get("Create") or u.get("Delete")) > 1:
            raise LimitExceededException(
                "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
            )
        kinds = {name: d["AttributeType"] for name, d in attributes.items()}
        for update in updates:
            self._update_index(definition, indexes, dropped, kinds, update)
        if updates:
            if indexes:
                definition["GlobalSecondaryIndexes"] = list(indexes.values())
            else:
                definition.pop("GlobalSecondaryIndexes", None)
            definition["AttributeDefinitions"] = _used(definition, attributes)
            check_all_used(definition)
        return dropped

    def _update_index(
        self,
        definition: Mapping[str, Any],
        indexes: dict[str, Any],
        dropped: list[dict[str, Any]],
        kinds: Mapping[str, str],
        update: Mapping[str, Any],
    ) -> None:
        locals_ = {i["IndexName"] for i in definition.get("LocalSecondaryIndexes", ())}
        if (create := update.get("Create")) is not None:
            name = create["IndexName"]
            if name in indexes or name in locals_:
                raise ValidationException(f"Attempting to create an index which already exists: {name}")
            indexes[name] = {
                **global_index(create, kinds, definition["BillingMode"]),
                "Id": self._new_id(),
                "IndexStatus": "CREATING",
            }
            return
        action = update.get("Delete") or update.get("Update")
        if action is None:
            raise invalid_value(
                "One of GlobalSecondaryIndexUpdate.Update, Create or Delete must be specified"
            )
        name = action["IndexName"]
        if name not in indexes:
            raise ResourceNotFoundException("Requested resource not found")
        if update.get("Delete") is not None:
            dropped.append(indexes.pop(name))
            return
        if (throughput := action.get("ProvisionedThroughput")) is not None:
            check_throughput(throughput, name)
            indexes[name]["ProvisionedThroughput"] = throughput
        for member in ("OnDemandThroughput", "WarmThroughput"):
            if action.get(member) is not None:
                indexes[name][member] = action[member]

    def _update_stream(self, table: Table, definition: dict[str, Any], request: Request) -> None:
        if request.get("StreamSpecification") is None:
            return
        view = stream_view(request)
        if view is None:
            if table.stream is None:
                raise ValidationException(f"Table is already disabled for streams: TableName: {table.name}")
            self.streams.close(table.stream["Id"])
            definition["Stream"]["Ended"] = True
            return
        if table.stream is not None:
            raise ValidationException(f"Table already has an enabled stream: TableName: {table.name}")
        place = (table.id, table.account, table.region, table.name)
        definition["Stream"] = self.streams.open(*place, definition["KeySchema"], view)

    @consumer(TRIM_TOPIC)
    def trim_stream(self, job: Job) -> None:
        self.streams.trim(job.payload["stream"])

    # -- work in portions -------------------------------------------------------------------------------------------

    def _fill_new(self, table: Table) -> None:
        """A new index of a small table is full at once; of a larger one it fills in the background."""
        for index in list(table.indexes.values()):
            if index.status == "CREATING":
                self._fill(table, index, None)

    def _fill(self, table: Table, index: Index, after: RowKey | None) -> None:
        last = self.rows.fill(table, index, after, _AT_ONCE)
        if last is None:
            for kept in table.definition["GlobalSecondaryIndexes"]:
                if kept["Id"] == index.id:
                    kept.pop("IndexStatus", None)
            self.save_definition(table)
            return
        cursor = {"table": table.id, "index": index.id, "hash": last.hash.hex(), "range": last.range.hex()}
        self.bus.publish("dynamodb.fill-index", cursor, key=f"dynamodb.fill-{index.id}")

    @consumer("dynamodb.fill-index")
    def fill_index(self, job: Job) -> None:
        table = self.table_by_id(job.payload["table"])
        if table is None:
            return
        for index in table.indexes.values():
            if index.id == job.payload["index"]:
                last = RowKey(bytes.fromhex(job.payload["hash"]), bytes.fromhex(job.payload["range"]))
                self._fill(table, index, last)

    def _clear_away(self, owner: int) -> None:
        self.bus.publish("dynamodb.clear-away", {"owner": owner}, key=f"dynamodb.clear-{owner}")

    @consumer("dynamodb.clear-away")
    def clear_away(self, job: Job) -> None:
        """Deletes what a table or an index held that is no more, a portion at a time."""
        owner = job.payload["owner"]
        gone = 0
        for name, column, keys in (
            ("item", "table_id", "hash,range"),
            ("expiry", "table_id", "at,hash,range"),
            ("entry", "index_id", "hash,range,item_hash,item_range"),
        ):
            gone += self.store.execute(
                f"DELETE FROM dynamodb_{name} WHERE {column}=? AND ({keys}) IN"
                f" (SELECT {keys} FROM dynamodb_{name} WHERE {column}=? LIMIT {_AT_ONCE})",
                (owner, owner),
            ).rowcount
        if gone:
            self._clear_away(owner)
        else:
            self.store.execute("DELETE FROM dynamodb_size WHERE id=?", (owner,))


def _used(definition: Mapping[str, Any], attributes: Mapping[str, Any]) -> list[dict[str, str]]:
    """The definitions of the attributes that keys use; those of a deleted index go with it."""
    used = {element["AttributeName"] for element in definition["KeySchema"]}
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        for index in definition.get(member, ()):
            used.update(element["AttributeName"] for element in index["KeySchema"])
    return [dict(d) for name, d in attributes.items() if name in used]


def _while_changing(description: Result, request: Request) -> Result:
    """The answer shows the indexes on their way, as AWS's does."""
    created = {
        update["Create"]["IndexName"]
        for update in request.get("GlobalSecondaryIndexUpdates") or ()
        if update.get("Create")
    }
    for index in description.get("GlobalSecondaryIndexes", ()):
        if index["IndexName"] in created:
            index["IndexStatus"] = "CREATING"
            index["Backfilling"] = False
    return description
