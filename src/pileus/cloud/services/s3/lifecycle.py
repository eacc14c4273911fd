"""Lifecycle rules: their checks, and what they do at each midnight (UTC) of the cloud's clock.

One job a bucket with rules runs at midnight and leaves the next. An object is due at the midnight after its age in days
is reached, as S3 rounds (S3 user guide, "Lifecycle rules: based on an object's age").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import orjson

from ...kernel import Call, Job, NotEmulated, Principal, Row, consumer, operation
from .base import OBJECT
from .body import check_document
from .bucket import Bucket
from .errors import InvalidArgument, InvalidRequest, MalformedXML, NoSuchLifecycleConfiguration
from .listing import after_key
from .multipart import MultipartOperations

_DAY = 86_400
_CHUNK = 500
_ACTIONS = ("Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")

Rule = Mapping[str, Any]


class LifecycleOperations(MultipartOperations):
    @operation("PutBucketLifecycleConfiguration")
    def put_bucket_lifecycle_configuration(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        check_document(call.http, request)
        rules = (request.get("LifecycleConfiguration") or {}).get("Rules") or []
        if not 1 <= len(rules) <= 1000:
            raise MalformedXML
        checked = [_checked(rule, self.ids.uuid()) for rule in rules]
        if len({rule["ID"] for rule in checked}) < len(checked):
            raise InvalidArgument("Rule ID must be unique. Found same ID for more than one rule")
        minimum = request.get("TransitionDefaultMinimumObjectSize") or "all_storage_classes_128K"
        if "lifecycle" not in bucket.settings:
            self.bus.publish("s3.lifecycle", {"bucket": bucket.id}, due=_next_midnight(call.now))
        self.save_setting(bucket, "lifecycle", {"rules": checked, "minimum": minimum})
        return {"TransitionDefaultMinimumObjectSize": minimum}

    @operation("GetBucketLifecycleConfiguration")
    def get_bucket_lifecycle_configuration(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        found = bucket.settings.get("lifecycle")
        if not found:
            raise NoSuchLifecycleConfiguration(BucketName=bucket.name)
        return {"Rules": found["rules"], "TransitionDefaultMinimumObjectSize": found["minimum"]}

    @operation("DeleteBucketLifecycle")
    def delete_bucket_lifecycle(self, call: Call, request: Mapping[str, Any]) -> None:
        self.save_setting(self.bucket(call, request), "lifecycle", None)

    @consumer("s3.lifecycle")
    def run_lifecycle(self, job: Job) -> None:
        """Acts on one chunk of keys; goes on with the next, and after the last waits for midnight."""
        bucket = self.bucket_by_id(job.payload["bucket"])
        if bucket is None or "lifecycle" not in bucket.settings:
            return
        now = self.clock.now()
        principal = Principal.service("s3.amazonaws.com", bucket.account)
        call = self.cloud.make_call(
            "s3", "Lifecycle", account=bucket.account, region=bucket.region, principal=principal
        )
        rules = [rule for rule in bucket.settings["lifecycle"]["rules"] if rule["Status"] == "Enabled"]
        start = job.payload.get("start", "")
        rows = self.store.all(
            f"SELECT {OBJECT} FROM s3_object WHERE bucket=? AND key>=? ORDER BY key, id DESC LIMIT ?",
            (bucket.id, start, _CHUNK),
        )
        keys = _by_key(rows)
        if len(rows) == _CHUNK and len(keys) > 1:
            keys.popitem()  # its older versions may lie beyond the chunk
        for key, versions in keys.items():
            self._apply(call, bucket, rules, key, versions, now)
        if len(rows) == _CHUNK and keys:
            self.bus.publish("s3.lifecycle", {"bucket": bucket.id, "start": after_key(next(reversed(keys)))})
            return
        self._abort_uploads(bucket, rules, now)
        self.bus.publish("s3.lifecycle", {"bucket": bucket.id}, due=_next_midnight(now))

    def _apply(
        self, call: Call, bucket: Bucket, rules: Sequence[Rule], key: str, versions: list[Row], now: float
    ) -> None:
        newest = versions[0]
        for rule in rules:
            if not key.startswith(_prefix(rule)):
                continue
            expiration = rule.get("Expiration") or {}
            if (
                not newest["marker"]
                and _matches(rule, newest)
                and _is_due(expiration, newest["modified"], now)
            ):
                done = self.delete(call, bucket, key, None)
                event = "LifecycleExpiration:" + (
                    "DeleteMarkerCreated" if done.get("DeleteMarker") else "Delete"
                )
                version = done.get("VersionId", "null")
                self.notify(call, bucket, event, key, None, None, version, self.next_id(now))
                return
            if newest["marker"] and len(versions) == 1 and expiration.get("ExpiredObjectDeleteMarker"):
                self.delete(call, bucket, key, newest["version"])
                return
            self._expire_noncurrent(call, bucket, rule, versions, now)

    def _expire_noncurrent(
        self, call: Call, bucket: Bucket, rule: Rule, versions: list[Row], now: float
    ) -> None:
        """A version is noncurrent since the one after it was written."""
        action = rule.get("NoncurrentVersionExpiration")
        if not action:
            return
        kept = action.get("NewerNoncurrentVersions") or 0
        for index in range(1, len(versions)):
            since, row = versions[index - 1]["modified"], versions[index]
            due = index > kept and _is_due({"Days": action["NoncurrentDays"]}, since, now)
            if due and _matches(rule, row) and self.version(bucket, row["key"], row["version"]) is not None:
                self.delete(call, bucket, row["key"], row["version"])

    def _abort_uploads(self, bucket: Bucket, rules: Sequence[Rule], now: float) -> None:
        for rule in rules:
            action = rule.get("AbortIncompleteMultipartUpload")
            if not action:
                continue
            for row in self.store.all(
                "SELECT id,key,initiated FROM s3_upload WHERE bucket=? AND key>=? ORDER BY key",
                (bucket.id, _prefix(rule)),
            ):
                if not row["key"].startswith(_prefix(rule)):
                    break
                if _is_due({"Days": action["DaysAfterInitiation"]}, row["initiated"], now):
                    self.drop_upload(row["id"], ())


def _next_midnight(now: float) -> float:
    return (now // _DAY + 1) * _DAY


def _is_due(expiration: Mapping[str, Any], modified: float, now: float) -> bool:
    days, date = expiration.get("Days"), expiration.get("Date")
    if days is not None:
        return bool(ceil((modified + days * _DAY) / _DAY) * _DAY <= now)
    return date is not None and date <= now


def _by_key(rows: Sequence[Row]) -> dict[str, list[Row]]:
    keys: dict[str, list[Row]] = {}
    for row in rows:
        keys.setdefault(row["key"], []).append(row)
    return keys


def _conditions(rule: Rule) -> Mapping[str, Any]:
    chosen = rule.get("Filter") or {}
    found: Mapping[str, Any] = chosen.get("And") or chosen
    return found


def _prefix(rule: Rule) -> str:
    return str(rule.get("Prefix") or _conditions(rule).get("Prefix") or "")


def _matches(rule: Rule, row: Row) -> bool:
    chosen = _conditions(rule)
    if chosen.get("ObjectSizeGreaterThan") is not None and row["size"] <= chosen["ObjectSizeGreaterThan"]:
        return False
    if chosen.get("ObjectSizeLessThan") is not None and row["size"] >= chosen["ObjectSizeLessThan"]:
        return False
    wanted = [*(chosen.get("Tags") or ()), *([chosen["Tag"]] if chosen.get("Tag") else ())]
    if not wanted:
        return True
    tags = {tag["Key"]: tag["Value"] for tag in orjson.loads(row["details"]).get("tags") or ()}
    return all(tags.get(tag["Key"]) == tag["Value"] for tag in wanted)


def _checked(rule: Rule, new_id: str) -> dict[str, Any]:
    if rule.get("Status") not in ("Enabled", "Disabled"):
        raise MalformedXML
    if len(rule.get("ID") or "") > 255:
        raise InvalidArgument("ID length should not exceed allowed limit of 255")
    for member in ("Transitions", "NoncurrentVersionTransitions"):
        if rule.get(member):
            raise NotEmulated(f"s3 PutBucketLifecycleConfiguration.{member}")
    if ("Prefix" in rule) == ("Filter" in rule):
        raise MalformedXML
    chosen = rule.get("Filter") or {}
    if sum(chosen.get(name) is not None for name in chosen) > 1:
        raise MalformedXML
    if not any(rule.get(action) for action in _ACTIONS):
        raise InvalidRequest("At least one action needs to be specified in a rule.")
    _check_expiration(rule)
    noncurrent = rule.get("NoncurrentVersionExpiration")
    if noncurrent is not None and (noncurrent.get("NoncurrentDays") or 0) < 1:
        raise InvalidArgument(
            "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer"
        )
    abort = rule.get("AbortIncompleteMultipartUpload")
    if abort is not None:
        if (abort.get("DaysAfterInitiation") or 0) < 1:
            raise InvalidArgument(
                "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer"
            )
        if chosen.get("Tag") or (chosen.get("And") or {}).get("Tags"):
            raise InvalidRequest("AbortIncompleteMultipartUpload cannot be specified with Tags.")
    return {**rule, "ID": rule.get("ID") or new_id}


def _check_expiration(rule: Rule) -> None:
    expiration = rule.get("Expiration")
    if expiration is None:
        return
    given = [
        name for name in ("Days", "Date", "ExpiredObjectDeleteMarker") if expiration.get(name) is not None
    ]
    if len(given) != 1:
        raise MalformedXML
    if "Days" in given and expiration["Days"] < 1:
        raise InvalidArgument("'Days' for Expiration action must be a positive integer")
    if "Date" in given and expiration["Date"] % _DAY:
        raise InvalidArgument("'Date' must be at midnight GMT")
