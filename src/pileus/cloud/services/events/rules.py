"""Rules and their targets; scheduled rules tick by jobs on the bus."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Arn, Call, Job, NotEmulated, Row, ValidationException, consumer, operation
from .buses import DEFAULT, Buses
from .delivery import TARGETS, Delivery
from .errors import LimitExceeded, ResourceNotFound
from .input import check_path, target_input
from .pattern import Predicate, compile_pattern
from .schedule import InvalidSchedule, parse_schedule

_NAME = re.compile(r"[.\-_A-Za-z0-9]{1,64}")
_MAX_TARGETS = 5
#: A tick that comes later than this was missed while the machine was off, and is not made up for.
_MISSED = 300.0
_TARGET_MEMBERS = frozenset(
    {
        "Id",
        "Arn",
        "RoleArn",
        "Input",
        "InputPath",
        "InputTransformer",
        "SqsParameters",
        "DeadLetterConfig",
        "RetryPolicy",
    }
)


class Rules(Delivery, Buses):
    """Operations on rules and targets."""

    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self._patterns: dict[str, Predicate] = {}

    def pattern(self, text: str) -> Predicate:
        found = self._patterns.get(text)
        if found is None:
            if len(self._patterns) > 1000:
                self._patterns.clear()
            found = self._patterns[text] = compile_pattern(text)
        return found

    # -- rules ------------------------------------------------------------------------------------------------------

    @operation("PutRule")
    def put_rule(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request["Name"]
        if not _NAME.fullmatch(name):
            raise ValidationException(f"Parameter Name is not valid: {name}")
        bus = self.bus_name(call, request.get("EventBusName"))
        pattern, schedule = request.get("EventPattern"), request.get("ScheduleExpression")
        if not pattern and not schedule:
            raise ValidationException("Parameter(s) EventPattern or ScheduleExpression must be specified.")
        if pattern:
            self.pattern(pattern)
        if schedule:
            if bus != DEFAULT:
                raise ValidationException("ScheduleExpression is supported only on the default event bus.")
            try:
                parse_schedule(schedule)
            except InvalidSchedule:
                raise ValidationException("Parameter ScheduleExpression is not valid.") from None
        state = request.get("State", "ENABLED")
        row = self._find(call, bus, name)
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}
        if row is None:
            self.store.execute(
                "INSERT INTO events_rule (account,region,bus,name,pattern,schedule,state,description,role_arn,tags)"
                " VALUES (?,?,?,?,?,?,?,?,?,?)",
                (
                    call.account,
                    call.region,
                    bus,
                    name,
                    pattern,
                    schedule,
                    state,
                    request.get("Description"),
                    request.get("RoleArn"),
                    orjson.dumps(tags),
                ),
            )
        else:
            self.store.execute(
                "UPDATE events_rule SET pattern=?,schedule=?,state=?,description=?,role_arn=? WHERE id=?",
                (pattern, schedule, state, request.get("Description"), request.get("RoleArn"), row["id"]),
            )
        self._reschedule(self.rule(call, bus, name))
        return {"RuleArn": rule_arn(call.account, call.region, bus, name)}

    @operation("DeleteRule")
    def delete_rule(self, call: Call, request: Mapping[str, Any]) -> None:
        bus = self.bus_name(call, request.get("EventBusName"))
        row = self._find(call, bus, request["Name"])
        if row is None:
            return
        if self.store.one("SELECT 1 FROM events_target WHERE rule_id=? LIMIT 1", (row["id"],)):
            raise ValidationException("Rule can't be deleted since it has targets.")
        if row["job"] is not None:
            self.bus.cancel(row["job"])
        self.store.execute("DELETE FROM events_rule WHERE id=?", (row["id"],))

    @operation("DescribeRule")
    def describe_rule(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        row = self.rule(call, self.bus_name(call, request.get("EventBusName")), request["Name"])
        return {**_describe(row), "CreatedBy": call.account}

    @operation("ListRules")
    def list_rules(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bus, limit = self.bus_name(call, request.get("EventBusName")), request.get("Limit", 100)
        prefix = request.get("NamePrefix", "")
        rows = self.store.all(
            "SELECT * FROM events_rule WHERE account=? AND region=? AND bus=? AND substr(name,1,?)=? AND name>?"
            " ORDER BY name LIMIT ?",
            (call.account, call.region, bus, len(prefix), prefix, request.get("NextToken", ""), limit + 1),
        )
        return {
            "Rules": [_describe(row) for row in rows[:limit]],
            "NextToken": rows[limit - 1]["name"] if len(rows) > limit else None,
        }

    @operation("EnableRule")
    def enable_rule(self, call: Call, request: Mapping[str, Any]) -> None:
        self._set_state(call, request, "ENABLED")

    @operation("DisableRule")
    def disable_rule(self, call: Call, request: Mapping[str, Any]) -> None:
        self._set_state(call, request, "DISABLED")

    def _set_state(self, call: Call, request: Mapping[str, Any], state: str) -> None:
        bus = self.bus_name(call, request.get("EventBusName"))
        row = self.rule(call, bus, request["Name"])
        self.store.execute("UPDATE events_rule SET state=? WHERE id=?", (state, row["id"]))
        self._reschedule(self.rule(call, bus, request["Name"]))

    def rule(self, call: Call, bus: str, name: str) -> Row:
        row = self._find(call, bus, name)
        if row is None:
            raise ResourceNotFound(f"Rule {name} does not exist on EventBus {bus}.")
        return row

    def _find(self, call: Call, bus: str, name: str) -> Row | None:
        return self.store.one(
            "SELECT * FROM events_rule WHERE account=? AND region=? AND bus=? AND name=?",
            (call.account, call.region, bus, name),
        )

    # -- targets ----------------------------------------------------------------------------------------------------

    @operation("PutTargets")
    def put_targets(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        row = self.rule(call, self.bus_name(call, request.get("EventBusName")), request["Rule"])
        for target in request["Targets"]:
            _check_target(target)
            self.store.execute(
                "INSERT OR REPLACE INTO events_target VALUES (?,?,?,?)",
                (row["id"], target["Id"], target["Arn"], orjson.dumps(target)),
            )
        count = self.store.one("SELECT count(*) FROM events_target WHERE rule_id=?", (row["id"],))
        if count is not None and count[0] > _MAX_TARGETS:
            raise LimitExceeded("The requested resource exceeds the maximum number allowed.")
        return {"FailedEntryCount": 0, "FailedEntries": []}

    @operation("RemoveTargets")
    def remove_targets(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        row = self.rule(call, self.bus_name(call, request.get("EventBusName")), request["Rule"])
        failed = []
        for target_id in request["Ids"]:
            gone = self.store.execute(
                "DELETE FROM events_target WHERE rule_id=? AND id=?", (row["id"], target_id)
            )
            if gone.rowcount == 0:
                failed.append(
                    {
                        "TargetId": target_id,
                        "ErrorCode": "ResourceNotFoundException",
                        "ErrorMessage": f"Rule {row['name']} does not have a target with the Id {target_id}.",
                    }
                )
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    @operation("ListTargetsByRule")
    def list_targets_by_rule(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        row = self.rule(call, self.bus_name(call, request.get("EventBusName")), request["Rule"])
        return {"Targets": [orjson.loads(t["target"]) for t in self._targets(row["id"])]}

    @operation("ListRuleNamesByTarget")
    def list_rule_names_by_target(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bus = self.bus_name(call, request.get("EventBusName"))
        rows = self.store.all(
            "SELECT DISTINCT r.name FROM events_target t JOIN events_rule r ON r.id=t.rule_id"
            " WHERE t.arn=? AND r.account=? AND r.region=? AND r.bus=? ORDER BY r.name",
            (request["TargetArn"], call.account, call.region, bus),
        )
        return {"RuleNames": [row["name"] for row in rows]}

    def _targets(self, rule_id: int) -> list[Row]:
        return self.store.all("SELECT * FROM events_target WHERE rule_id=? ORDER BY id", (rule_id,))

    def send_to_targets(self, rule: Row, event: Mapping[str, Any], trace: str | None = None) -> None:
        """Leaves one job for each target of the rule, in the current transaction."""
        arn = rule_arn(rule["account"], rule["region"], rule["bus"], rule["name"])
        facts = {
            "aws.events.rule-arn": arn,
            "aws.events.rule-name": rule["name"],
            "aws.events.event.ingestion-time": str(event["time"]),
        }
        for row in self._targets(rule["id"]):
            target = orjson.loads(row["target"])
            body = target_input(target, event, facts).decode()
            self.bus.publish(
                "events.deliver",
                {
                    "account": rule["account"],
                    "region": rule["region"],
                    "rule_arn": arn,
                    "target": target,
                    "body": body,
                    "trace": trace,
                },
            )

    # -- schedules --------------------------------------------------------------------------------------------------

    def _reschedule(self, row: Row) -> None:
        if row["job"] is not None:
            self.bus.cancel(row["job"])
        job = None
        if row["schedule"] and row["state"] != "DISABLED":
            job = self._next_tick(row, self.clock.now())
        self.store.execute("UPDATE events_rule SET job=? WHERE id=?", (job, row["id"]))

    def _next_tick(self, row: Row, after: float) -> int | None:
        due = parse_schedule(row["schedule"]).next_after(after)
        if due is None:
            return None
        return self.bus.publish("events.tick", {"rule": row["id"], "schedule": row["schedule"]}, due=due)

    @consumer("events.tick")
    def tick(self, job: Job) -> None:
        """A scheduled rule's moment has come."""
        row = self.store.one("SELECT * FROM events_rule WHERE id=?", (job.payload["rule"],))
        if row is None or row["job"] != job.id:
            return  # changed or deleted since
        now = self.clock.now()
        if now - job.due <= _MISSED:
            arn = rule_arn(row["account"], row["region"], row["bus"], row["name"])
            self.send_to_targets(
                row, scheduled_event(self.ids.uuid(), row["account"], row["region"], arn, job.due)
            )
        following = self._next_tick(row, job.due if now - job.due <= _MISSED else now)
        self.store.execute("UPDATE events_rule SET job=? WHERE id=?", (following, row["id"]))


def scheduled_event(event_id: str, account: str, region: str, arn: str, moment: float) -> dict[str, Any]:
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": event_time(moment),
        "region": region,
        "resources": [arn],
        "detail": {},
    }


def event_time(moment: float) -> str:
    from time import gmtime, strftime

    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(moment))


def rule_arn(account: str, region: str, bus: str, name: str) -> str:
    path = name if bus == DEFAULT else f"{bus}/{name}"
    return f"arn:aws:events:{region}:{account}:rule/{path}"


def _describe(row: Row) -> dict[str, Any]:
    return {
        "Name": row["name"],
        "Arn": rule_arn(row["account"], row["region"], row["bus"], row["name"]),
        "EventPattern": row["pattern"],
        "ScheduleExpression": row["schedule"],
        "State": row["state"],
        "Description": row["description"],
        "RoleArn": row["role_arn"],
        "EventBusName": row["bus"],
    }


def _check_target(target: Mapping[str, Any]) -> None:
    for member in target:
        if member not in _TARGET_MEMBERS:
            raise NotEmulated(f"events PutTargets.Targets.{member}")
    try:
        arn = Arn.parse(target["Arn"])
    except ValueError:
        raise ValidationException(
            f"Parameter {target['Arn']} is not valid. Reason: Provided Arn is not in correct format."
        ) from None
    if arn.service not in TARGETS:
        raise NotEmulated(f"events targets of {arn.service} ({target['Arn']})")
    given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name) is not None]
    if len(given) > 1:
        raise ValidationException(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."
        )
    if target.get("Input") is not None:
        try:
            orjson.loads(target["Input"])
        except orjson.JSONDecodeError:
            raise ValidationException(f"JSON syntax error in input for target {target['Id']}") from None
    if target.get("InputPath") is not None:
        check_path(target["InputPath"])
    for path in ((target.get("InputTransformer") or {}).get("InputPathsMap") or {}).values():
        check_path(path)
