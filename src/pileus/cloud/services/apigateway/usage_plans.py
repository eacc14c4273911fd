"""UsagePlan: which keys may call which stages, how fast and how often."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from pileus.cloud.kernel import Call, operation

from .api_keys import ApiKeys
from .base import Request, Result, listed
from .dataplane.quota import period_start
from .documents import Document, Documents, Kind, bare
from .errors import BadRequestException, ConflictException, NotFoundException
from .patch import EDIT, Patch, apply, integer, number, values

_REMOVE = frozenset({"remove"})
_PATCHES = (
    *values("name", "description", "productCode"),
    Patch("/throttle/rateLimit", "throttle/rateLimit", number, EDIT),
    Patch("/throttle/burstLimit", "throttle/burstLimit", integer, EDIT),
    Patch("/throttle", "throttle", operations=_REMOVE),
    Patch("/quota/limit", "quota/limit", integer, EDIT),
    Patch("/quota/offset", "quota/offset", integer, EDIT),
    Patch("/quota/period", "quota/period", operations=EDIT),
    Patch("/quota", "quota", operations=_REMOVE),
)
_STAGE_THROTTLE = re.compile(r"/apiStages/([^/]+)/throttle(?:/([^/]+)/([A-Z]+)(?:/(rateLimit|burstLimit))?)?")


class UsagePlans(ApiKeys):
    def usage_plan(self, call: Call, plan_id: str) -> Document:
        found = Documents.of(call).find(Kind.USAGE_PLAN, plan_id)
        if found is None:
            raise NotFoundException("Invalid Usage Plan ID specified")
        return found

    def _keep_plan(self, call: Call, plan: Document) -> None:
        self._check_plan(call, plan)
        Documents.of(call).put(Kind.USAGE_PLAN, plan["id"], plan)
        self.plane.forget_keys()

    def _check_plan(self, call: Call, plan: Document) -> None:
        quota, throttle = plan.get("quota") or {}, plan.get("throttle") or {}
        if quota:
            if quota.get("limit", 0) <= 0:
                raise BadRequestException("Usage Plan quota limit must be a positive integer")
            if quota.get("period") not in ("DAY", "WEEK", "MONTH"):
                raise BadRequestException("Usage Plan quota period must be one of DAY, WEEK, MONTH")
            quota.setdefault("offset", 0)
            most = {"DAY": 0, "WEEK": 6, "MONTH": 27}[quota["period"]]
            if not 0 <= quota["offset"] <= most:
                raise BadRequestException(
                    f"Usage Plan quota offset must be zero in the {quota['period']} period"
                    if most == 0
                    else f"Usage Plan quota offset must be between 0 and {most} inclusive in the {quota['period']} period"
                )
        if throttle:
            throttle.setdefault("burstLimit", 0)
            throttle.setdefault("rateLimit", 0.0)
            if throttle["burstLimit"] < 0 or throttle["rateLimit"] < 0:
                raise BadRequestException("Usage Plan throttle limits must not be negative")
        documents = Documents.of(call)
        before = documents.find(Kind.USAGE_PLAN, plan["id"]) or {"apiStages": ()}
        known = {f"{stage['apiId']}:{stage['stage']}" for stage in before["apiStages"]}  # maybe gone since
        seen = set()
        for stage in plan["apiStages"]:
            if not stage.get("apiId") or not stage.get("stage"):
                raise BadRequestException("API Stages must have an API id and a stage name")
            name = f"{stage['apiId']}:{stage['stage']}"
            if name not in known and documents.find(Kind.STAGE, stage["stage"], stage["apiId"]) is None:
                raise NotFoundException(f"API Stage not found: {name}")
            if name in seen:
                raise ConflictException(f"Duplicate API Stage: {name}")
            seen.add(name)

    @operation("CreateUsagePlan")
    def create_usage_plan(self, call: Call, request: Request) -> Result:
        plan = bare(
            {
                "id": call.ids.lower(6),
                "name": request["name"],
                "description": request.get("description"),
                "apiStages": [dict(stage) for stage in request.get("apiStages") or ()],
                "throttle": dict(request.get("throttle") or {}) or None,
                "quota": dict(request.get("quota") or {}) or None,
                "tags": dict(request.get("tags") or {}) or None,
            }
        )
        self._keep_plan(call, plan)
        return plan

    @operation("GetUsagePlan")
    def get_usage_plan(self, call: Call, request: Request) -> Result:
        return self.usage_plan(call, request["usagePlanId"])

    @operation("GetUsagePlans")
    def get_usage_plans(self, call: Call, request: Request) -> Result:
        documents = Documents.of(call)
        if request.get("keyId"):
            links = documents.by_handle(Kind.USAGE_PLAN_KEY, request["keyId"])
            return listed([self.usage_plan(call, link["planId"]) for link in links], None)
        return listed(*documents.page(Kind.USAGE_PLAN, request))

    @operation("UpdateUsagePlan")
    def update_usage_plan(self, call: Call, request: Request) -> Result:
        plan = self.usage_plan(call, request["usagePlanId"])
        for step in request.get("patchOperations") or ():
            if step.get("path") == "/apiStages":
                _patch_stages(plan, step)
            elif step.get("path", "").startswith("/apiStages/"):
                _patch_stage_throttle(plan, step)
            else:
                apply(plan, [step], _PATCHES, "UpdateUsagePlan")
        self._keep_plan(call, plan)
        return plan

    @operation("DeleteUsagePlan")
    def delete_usage_plan(self, call: Call, request: Request) -> None:
        plan = self.usage_plan(call, request["usagePlanId"])
        documents = Documents.of(call)
        for stage in plan["apiStages"]:
            if documents.find(Kind.STAGE, stage["stage"], stage["apiId"]):
                raise BadRequestException(
                    f"Cannot delete Usage Plan {plan['id']} because it is associated with API stages"
                )
        documents.delete_under(plan["id"])
        documents.delete(Kind.USAGE_PLAN, plan["id"])
        self.store.execute(
            "DELETE FROM apigateway_usage WHERE account=? AND region=? AND plan=?",
            (call.account, call.region, plan["id"]),
        )
        self.plane.forget_keys()

    # -- keys of a plan ---------------------------------------------------------------------------------------------

    @operation("CreateUsagePlanKey")
    def create_usage_plan_key(self, call: Call, request: Request) -> Result:
        plan = self.usage_plan(call, request["usagePlanId"])
        if request["keyType"] != "API_KEY":
            raise BadRequestException(f"Invalid key type specified: {request['keyType']}")
        key = self.api_key(call, request["keyId"])
        documents = Documents.of(call)
        taken = {f"{stage['apiId']}:{stage['stage']}" for stage in plan["apiStages"]}
        for link in documents.by_handle(Kind.USAGE_PLAN_KEY, key["id"]):
            if link["planId"] == plan["id"]:
                raise ConflictException("Usage Plan already has this key")
            for stage in self.usage_plan(call, link["planId"])["apiStages"]:
                if f"{stage['apiId']}:{stage['stage']}" in taken:
                    raise ConflictException(
                        f"{key['id']} is already subscribed to a Usage Plan for API Stage"
                        f" {stage['apiId']}:{stage['stage']}"
                    )
        link = {"id": key["id"], "type": "API_KEY", "planId": plan["id"]}
        documents.put(Kind.USAGE_PLAN_KEY, key["id"], link, plan["id"], key["id"])
        self.plane.forget_keys()
        return _plan_key(key)

    @operation("GetUsagePlanKey")
    def get_usage_plan_key(self, call: Call, request: Request) -> Result:
        self.usage_plan(call, request["usagePlanId"])
        documents = Documents.of(call)
        if documents.find(Kind.USAGE_PLAN_KEY, request["keyId"], request["usagePlanId"]) is None:
            raise NotFoundException("Invalid API Key identifier specified")
        return _plan_key(self.api_key(call, request["keyId"]))

    @operation("GetUsagePlanKeys")
    def get_usage_plan_keys(self, call: Call, request: Request) -> Result:
        self.usage_plan(call, request["usagePlanId"])
        links, position = Documents.of(call).page(Kind.USAGE_PLAN_KEY, request, request["usagePlanId"])
        keys = [_plan_key(self.api_key(call, link["id"])) for link in links]
        prefix = request.get("nameQuery") or ""
        return listed([key for key in keys if key.get("name", "").startswith(prefix)], position)

    @operation("DeleteUsagePlanKey")
    def delete_usage_plan_key(self, call: Call, request: Request) -> None:
        self.get_usage_plan_key(call, request)
        Documents.of(call).delete(Kind.USAGE_PLAN_KEY, request["keyId"], request["usagePlanId"])
        self.plane.forget_keys()

    # -- usage ------------------------------------------------------------------------------------------------------

    @operation("GetUsage")
    def get_usage(self, call: Call, request: Request) -> Result:
        plan = self.usage_plan(call, request["usagePlanId"])
        first, last = _day(request["startDate"]), _day(request["endDate"])
        if last < first or (last - first).days > 90:
            raise BadRequestException("Invalid date range specified")
        keys = [request["keyId"]] if request.get("keyId") else self._used_keys(call, plan["id"])
        return {
            "usagePlanId": plan["id"],
            "startDate": request["startDate"],
            "endDate": request["endDate"],
            "items": {key: self._usage(call, plan, key, first, last) for key in keys},
        }

    def _used_keys(self, call: Call, plan_id: str) -> list[str]:
        rows = self.store.all(
            "SELECT DISTINCT key FROM apigateway_usage WHERE account=? AND region=? AND plan=? ORDER BY key",
            (call.account, call.region, plan_id),
        )
        return [row[0] for row in rows]

    def _usage(self, call: Call, plan: Document, key: str, first: date, last: date) -> list[list[int]]:
        """[used, remaining] for each day."""
        quota = plan.get("quota")
        since = first if quota is None else min(first, period_start(quota, first))
        rows = self.store.all(
            "SELECT day,used FROM apigateway_usage"
            " WHERE account=? AND region=? AND plan=? AND key=? AND day BETWEEN ? AND ?",
            (call.account, call.region, plan["id"], key, since.isoformat(), last.isoformat()),
        )
        used = {row["day"]: row["used"] for row in rows}
        found, day, spent = [], since, 0
        while day <= last:
            if quota is not None and period_start(quota, day) == day:
                spent = 0
            today = used.get(day.isoformat(), 0)
            spent += today
            if day >= first:
                found.append([today, max(quota["limit"] - spent, 0) if quota is not None else 0])
            day += timedelta(1)
        return found


def _plan_key(key: Document) -> Result:
    return bare({"id": key["id"], "type": "API_KEY", "value": key["value"], "name": key.get("name")})


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadRequestException(f"Invalid date specified: {text}") from None


def _patch_stages(plan: Document, step: Request) -> None:
    api_id, _, name = (step.get("value") or "").partition(":")
    stages: list[dict[str, Any]] = plan["apiStages"]
    if step.get("op") == "add":
        stages.append({"apiId": api_id, "stage": name})
    elif step.get("op") == "remove":
        left = [stage for stage in stages if (stage["apiId"], stage["stage"]) != (api_id, name)]
        if len(left) == len(stages):
            raise NotFoundException(f"API Stage not found: {step.get('value')}")
        plan["apiStages"] = left
    else:
        raise BadRequestException("Invalid patch path  '/apiStages' specified for op 'replace'.")


def _patch_stage_throttle(plan: Document, step: Request) -> None:
    """`/apiStages/{api}:{stage}/throttle/{path}/{METHOD}/rateLimit`, the path with `~1` for `/`."""
    found = _STAGE_THROTTLE.fullmatch(step.get("path", ""))
    if found is None:
        raise BadRequestException(f"Invalid patch path  '{step.get('path')}' specified.")
    stage = next((s for s in plan["apiStages"] if f"{s['apiId']}:{s['stage']}" == found[1]), None)
    if stage is None:
        raise NotFoundException(f"API Stage not found: {found[1]}")
    throttle = stage.setdefault("throttle", {})
    if found[2] is None:
        stage.pop("throttle")
        return
    name = f"{found[2].replace('~1', '/').replace('~0', '~')}/{found[3]}"
    if step.get("op") == "remove":
        throttle.pop(name, None)
        return
    limits = throttle.setdefault(name, {"burstLimit": 0, "rateLimit": 0.0})
    if found[4] is None:
        raise BadRequestException(f"Invalid patch path  '{step.get('path')}' specified.")
    limits[found[4]] = (number if found[4] == "rateLimit" else integer)(step.get("value") or "")
