"""What is set on a table beside its keys: tags, time to live, point-in-time recovery; and the account's limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from pileus.cloud.kernel import Call, Job, consumer, operation

from .base import DynamoDbBase
from .errors import ResourceNotFoundException, TableNotFoundException, ValidationException
from .expiry import TOPIC
from .keys import RowKey
from .storage import expiry, is_too_old
from .table import Table

Request = Mapping[str, Any]
Result = dict[str, Any]
_MAX_TAGS = 50
_TAGS_A_PAGE = 10
_AT_ONCE = 500
_RECOVERY_DAYS = 35


class Settings(DynamoDbBase):
    # -- tags -------------------------------------------------------------------------------------------------------

    @operation("TagResource")
    def tag_resource(self, call: Call, request: Request) -> Result:
        table = self._resource(call, request["ResourceArn"])
        given = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        if len(given) != len(request["Tags"]):
            raise ValidationException("Duplicate Tag Keys provided in the request.")
        tags = {**table.definition.get("Tags", {}), **given}
        if len(tags) > _MAX_TAGS:
            raise ValidationException(
                f"The number of tags exceeds the limit of {_MAX_TAGS} tags for the resource"
            )
        self._set(table, Tags=tags)
        return {}

    @operation("UntagResource")
    def untag_resource(self, call: Call, request: Request) -> Result:
        table = self._resource(call, request["ResourceArn"])
        tags = {k: v for k, v in table.definition.get("Tags", {}).items() if k not in request["TagKeys"]}
        self._set(table, Tags=tags)
        return {}

    @operation("ListTagsOfResource")
    def list_tags_of_resource(self, call: Call, request: Request) -> Result:
        table = self._resource(call, request["ResourceArn"])
        tags = [{"Key": k, "Value": v} for k, v in table.definition.get("Tags", {}).items()]
        start = request.get("NextToken")
        begin = int(start) if start is not None and start.isdigit() else 0
        page = tags[begin : begin + _TAGS_A_PAGE]
        more = begin + _TAGS_A_PAGE < len(tags)
        return {"Tags": page, "NextToken": str(begin + _TAGS_A_PAGE) if more else None}

    def _resource(self, call: Call, arn: str) -> Table:
        table = self.find_table(call, arn)
        if table is None or not arn.startswith("arn:"):
            raise ResourceNotFoundException(f"Requested resource not found: ResourcArn: {arn} not found")
        return table

    def _set(self, table: Table, **members: Any) -> Table:
        table.definition = {**table.definition, **members}
        return self.save_definition(table)

    # -- time to live -----------------------------------------------------------------------------------------------

    @operation("UpdateTimeToLive")
    def update_time_to_live(self, call: Call, request: Request) -> Result:
        wanted = request["TimeToLiveSpecification"]
        enabled, attribute = wanted["Enabled"], wanted["AttributeName"]
        table = self.described_table(call, request["TableName"])
        current = table.definition.get("TimeToLive") or {}
        if enabled and current.get("Enabled"):
            if current["AttributeName"] == attribute:
                raise ValidationException("TimeToLive is already enabled")
            raise ValidationException(
                "TimeToLive is active on a different AttributeName: current AttributeName is"
                f" {current['AttributeName']}"
            )
        if not enabled:
            if not current.get("Enabled"):
                raise ValidationException("TimeToLive is already disabled")
            if current["AttributeName"] != attribute:
                raise ValidationException(
                    "TimeToLive is active on a different AttributeName: current AttributeName is"
                    f" {current['AttributeName']}"
                )
        updated = self._set(table, TimeToLive=dict(wanted) if enabled else None)
        self.store.execute("DELETE FROM dynamodb_expiry WHERE table_id=?", (table.id,))
        self.sweeps.cancel(table.id)
        if enabled:
            self._find_expiries(updated, None)
        return {"TimeToLiveSpecification": wanted}

    @operation("DescribeTimeToLive")
    def describe_time_to_live(self, call: Call, request: Request) -> Result:
        table = self.described_table(call, request["TableName"])
        if table.ttl is None:
            return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": table.ttl}}

    def _find_expiries(self, table: Table, after: RowKey | None) -> None:
        """Notes when the items expire that were there before TTL was switched on, a portion at a time."""
        assert table.ttl is not None
        where = "table_id=?" if after is None else "table_id=? AND (hash,range)>(?,?)"
        rows = self.store.all(
            f"SELECT hash,range,item FROM dynamodb_item WHERE {where} ORDER BY hash,range LIMIT {_AT_ONCE}",
            (table.id, *(after or ())),
        )
        for row in rows:
            at = expiry(orjson.loads(row[2]), table.ttl)
            if at is not None:
                self.rows.note_expiry(table, RowKey(row[0], row[1]), at)
        if len(rows) == _AT_ONCE:
            cursor = {
                "table": table.id,
                "attribute": table.ttl,
                "hash": rows[-1][0].hex(),
                "range": rows[-1][1].hex(),
            }
            self.bus.publish("dynamodb.find-expiries", cursor, key=f"dynamodb.expiries-{table.id}")

    @consumer("dynamodb.find-expiries")
    def find_expiries(self, job: Job) -> None:
        table = self.table_by_id(job.payload["table"])
        if table is not None and table.ttl == job.payload["attribute"]:
            after = RowKey(bytes.fromhex(job.payload["hash"]), bytes.fromhex(job.payload["range"]))
            self._find_expiries(table, after)

    @consumer(TOPIC)
    def sweep(self, job: Job) -> None:
        """Deletes the items of one table whose time has come."""
        table_id = job.payload["table"]
        now = self.clock.now()
        self.store.execute("DELETE FROM dynamodb_sweep WHERE table_id=? AND job=?", (table_id, job.id))
        table = self.table_by_id(table_id)
        if table is None or table.ttl is None:
            return
        due = self.store.all(
            "SELECT at,hash,range FROM dynamodb_expiry WHERE table_id=? AND at<=? ORDER BY at LIMIT ?",
            (table_id, now, _AT_ONCE),
        )
        for row in due:
            self._expire(table, RowKey(row[1], row[2]), row[0], now)
        following = self.store.one("SELECT min(at) FROM dynamodb_expiry WHERE table_id=?", (table_id,))
        if following is not None and following[0] is not None:
            self.sweeps.plan(table_id, max(following[0], now))

    def _expire(self, table: Table, key: RowKey, at: float, now: float) -> None:
        self.store.execute(
            "DELETE FROM dynamodb_expiry WHERE table_id=? AND at=? AND hash=? AND range=?",
            (table.id, at, *key),
        )
        stored = self.rows.read(table, key)
        if stored is None or is_too_old(at, now):
            return
        self.rows.remove(table, key, stored)
        self.expired(table, {name: stored.item[name] for name in table.key_names}, stored)

    # -- point-in-time recovery -------------------------------------------------------------------------------------

    @operation("DescribeContinuousBackups")
    def describe_continuous_backups(self, call: Call, request: Request) -> Result:
        return {"ContinuousBackupsDescription": self._recovery(call, self._backed_up(call, request))}

    @operation("UpdateContinuousBackups")
    def update_continuous_backups(self, call: Call, request: Request) -> Result:
        table = self._backed_up(call, request)
        wanted = request["PointInTimeRecoverySpecification"]
        recovery = None
        if wanted["PointInTimeRecoveryEnabled"]:
            current = table.definition.get("PointInTimeRecovery") or {}
            recovery = {
                "Since": current.get("Since", call.now),
                "Days": wanted.get("RecoveryPeriodInDays", current.get("Days", _RECOVERY_DAYS)),
            }
        table = self._set(table, PointInTimeRecovery=recovery)
        return {"ContinuousBackupsDescription": self._recovery(call, table)}

    def _backed_up(self, call: Call, request: Request) -> Table:
        table = self.find_table(call, request["TableName"])
        if table is None:
            raise TableNotFoundException(f"Table not found: {request['TableName']}")
        return table

    def _recovery(self, call: Call, table: Table) -> Result:
        recovery = table.definition.get("PointInTimeRecovery")
        if not recovery:
            shown: Result = {"PointInTimeRecoveryStatus": "DISABLED"}
        else:
            shown = {
                "PointInTimeRecoveryStatus": "ENABLED",
                "RecoveryPeriodInDays": recovery["Days"],
                "EarliestRestorableDateTime": max(recovery["Since"], call.now - recovery["Days"] * 86_400),
                "LatestRestorableDateTime": max(recovery["Since"], call.now - 300),
            }
        return {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": shown}

    # -- the account ------------------------------------------------------------------------------------------------

    @operation("DescribeLimits")
    def describe_limits(self, call: Call, request: Request) -> Result:
        return {
            "AccountMaxReadCapacityUnits": 80_000,
            "AccountMaxWriteCapacityUnits": 80_000,
            "TableMaxReadCapacityUnits": 40_000,
            "TableMaxWriteCapacityUnits": 40_000,
        }

    @operation("DescribeEndpoints")
    def describe_endpoints(self, call: Call, request: Request) -> Result:
        address = call.base_url.partition("://")[2]
        return {"Endpoints": [{"Address": address, "CachePeriodInMinutes": 1440}]}
