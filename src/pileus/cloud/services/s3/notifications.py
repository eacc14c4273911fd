"""Bucket notifications: the configuration's checks, and the events' way to functions, queues, topics and EventBridge.

An event is a job on the bus, left in the transaction of the change that it tells of, so that neither comes without the
other. Source: S3 user guide, "Event message structure" and "Amazon S3 event notification types and destinations".
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import combinations
from typing import Any
from urllib.parse import quote_plus

import orjson

from ...kernel import Arn, AwsError, Call, Job, NotEmulated, Principal, consumer, operation
from .base import S3Base
from .body import check_document
from .bucket import Bucket
from .errors import InvalidArgument, MalformedXML

log = logging.getLogger("pileus.s3")

#: setting's list → (member that names the destination, service, what it is called in errors)
_KINDS: Mapping[str, tuple[str, str]] = {
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", "lambda"),
    "QueueConfigurations": ("QueueArn", "sqs"),
    "TopicConfigurations": ("TopicArn", "sns"),
}
_EVENTS = frozenset(
    {
        "s3:ObjectCreated:*",
        "s3:ObjectCreated:Put",
        "s3:ObjectCreated:Post",
        "s3:ObjectCreated:Copy",
        "s3:ObjectCreated:CompleteMultipartUpload",
        "s3:ObjectRemoved:*",
        "s3:ObjectRemoved:Delete",
        "s3:ObjectRemoved:DeleteMarkerCreated",
        "s3:ObjectTagging:*",
        "s3:ObjectTagging:Put",
        "s3:ObjectTagging:Delete",
        "s3:LifecycleExpiration:*",
        "s3:LifecycleExpiration:Delete",
        "s3:LifecycleExpiration:DeleteMarkerCreated",
    }
)
#: Events of AWS's list that nothing here can bring about.
_NEVER_HERE = (
    "s3:ReducedRedundancyLostObject",
    "s3:ObjectRestore:",
    "s3:Replication:",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ObjectAcl:",
    "s3:ObjectAnnotation:",
    "s3:ObjectRetention:",
)
_DETAIL_TYPES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "ObjectCreated:Put": ("Object Created", {"reason": "PutObject"}),
    "ObjectCreated:Post": ("Object Created", {"reason": "POST Object"}),
    "ObjectCreated:Copy": ("Object Created", {"reason": "CopyObject"}),
    "ObjectCreated:CompleteMultipartUpload": ("Object Created", {"reason": "CompleteMultipartUpload"}),
    "ObjectRemoved:Delete": (
        "Object Deleted",
        {"reason": "DeleteObject", "deletion-type": "Permanently Deleted"},
    ),
    "ObjectRemoved:DeleteMarkerCreated": (
        "Object Deleted",
        {"reason": "DeleteObject", "deletion-type": "Delete Marker Created"},
    ),
    "LifecycleExpiration:Delete": (
        "Object Deleted",
        {"reason": "Lifecycle Expiration", "deletion-type": "Permanently Deleted"},
    ),
    "LifecycleExpiration:DeleteMarkerCreated": (
        "Object Deleted",
        {"reason": "Lifecycle Expiration", "deletion-type": "Delete Marker Created"},
    ),
    "ObjectTagging:Put": ("Object Tags Added", {}),
    "ObjectTagging:Delete": ("Object Tags Deleted", {}),
}
_INVALID = "Unable to validate the following destination configurations"


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _filters(rule: Mapping[str, Any]) -> tuple[str, str]:
    """(prefix, suffix)."""
    found = {"prefix": "", "suffix": ""}
    for item in ((rule.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ():
        found[item["Name"].lower()] = item.get("Value", "")
    return found["prefix"], found["suffix"]


def _covers(wanted: str, event: str) -> bool:
    """wanted: as configured, `s3:ObjectCreated:*`; event: `ObjectCreated:Put`."""
    name = wanted.removeprefix("s3:")
    return name == event or (name.endswith(":*") and event.startswith(name[:-1]))


class Notifier(S3Base):
    def notify(
        self,
        call: Call,
        bucket: Bucket,
        event: str,
        key: str,
        size: int | None,
        etag: str | None,
        version: str,
        row_id: int,
    ) -> None:
        """Leaves the event for all who asked for it. event: without `s3:`. size, etag: None where it has none."""
        configuration = bucket.settings.get("notification")
        if not configuration:
            return
        fact = {
            "event": event,
            "time": call.now,
            "bucket": bucket.name,
            "region": bucket.region,
            "account": bucket.account,
            "key": key,
            "size": size,
            "etag": etag,
            "version": version if bucket.versioning is not None else None,
            "sequencer": f"{row_id:018X}",
            "principal": call.principal.user_id or call.principal.account,
            "requester": call.principal.account,
            "source": call.http.client if call.http is not None else "127.0.0.1",
            "request": call.request_id,
        }
        for kind, (member, service) in _KINDS.items():
            for rule in configuration.get(kind) or ():
                prefix, suffix = _filters(rule)
                if (
                    any(_covers(wanted, event) for wanted in rule["Events"])
                    and key.startswith(prefix)
                    and key.endswith(suffix)
                ):
                    target = {"service": service, "arn": rule[member], "id": rule["Id"]}
                    self.bus.publish("s3.notify", {"target": target, **fact})
        if "EventBridgeConfiguration" in configuration and event in _DETAIL_TYPES:
            self.bus.publish("s3.notify", {"target": {"service": "events"}, **fact})

    @consumer("s3.notify")
    def deliver(self, job: Job) -> None:
        fact = job.payload
        try:
            if fact["target"]["service"] == "events":
                self._to_event_bus(fact)
            else:
                body = orjson.dumps({"Records": [_record(fact)]})
                self._send(fact["target"], fact["bucket"], fact["account"], fact["region"], body)
        except AwsError as error:  # the destination is gone, or refuses: S3 lets the event go, too
            log.warning("S3 event %s of %s was not delivered: %s", fact["event"], fact["bucket"], error)

    def _send(
        self, target: Mapping[str, str], bucket_name: str, account: str, region: str, body: bytes
    ) -> None:
        source_arn = f"arn:aws:s3:::{bucket_name}"
        arn = target["arn"]
        if target["service"] == "lambda":
            self.cloud.functions.invoke_async(arn, body, source_arn=source_arn)
            return
        place = Arn.parse(arn)
        principal = Principal.service("s3.amazonaws.com", account, source_arn)
        if target["service"] == "sqs":
            url = f"{self.cloud.settings.endpoint}/{place.account}/{place.resource}"
            request = {"QueueUrl": url, "MessageBody": body.decode()}
            operation_name = "SendMessage"
        else:
            request = {"TopicArn": arn, "Message": body.decode(), "Subject": "Amazon S3 Notification"}
            operation_name = "Publish"
        self.cloud.call(
            target["service"],
            operation_name,
            request,
            account=place.account,
            region=place.region,
            principal=principal,
        )

    def _to_event_bus(self, fact: Mapping[str, Any]) -> None:
        detail_type, more = _DETAIL_TYPES[fact["event"]]
        thing = {
            "key": fact["key"],
            "size": fact["size"],
            "etag": fact["etag"],
            "version-id": fact["version"],
            "sequencer": fact["sequencer"],
        }
        detail = {
            "version": "0",
            "bucket": {"name": fact["bucket"]},
            "object": {name: value for name, value in thing.items() if value is not None},
            "request-id": fact["request"],
            "requester": fact["requester"],
            "source-ip-address": fact["source"],
            **more,
        }
        entry = {
            "Source": "aws.s3",
            "DetailType": detail_type,
            "Time": fact["time"],
            "Resources": [f"arn:aws:s3:::{fact['bucket']}"],
            "Detail": orjson.dumps(detail).decode(),
        }
        principal = Principal.service("s3.amazonaws.com", fact["account"], f"arn:aws:s3:::{fact['bucket']}")
        self.cloud.call(
            "events",
            "PutEvents",
            {"Entries": [entry]},
            account=fact["account"],
            region=fact["region"],
            principal=principal,
        )

    # -- configuration ----------------------------------------------------------------------------------------------

    @operation("PutBucketNotificationConfiguration")
    def put_bucket_notification_configuration(self, call: Call, request: Mapping[str, Any]) -> None:
        bucket = self.bucket(call, request)
        check_document(call.http, request)
        configuration: dict[str, Any] = {}
        for kind, (member, _) in _KINDS.items():
            rules = (request["NotificationConfiguration"] or {}).get(kind)
            if rules:
                configuration[kind] = [_checked(rule, member, self.ids.uuid()) for rule in rules]
        if (request["NotificationConfiguration"] or {}).get("EventBridgeConfiguration") is not None:
            configuration["EventBridgeConfiguration"] = {}
        _check_overlaps([rule for kind in _KINDS for rule in configuration.get(kind) or ()])
        if not request.get("SkipDestinationValidation"):
            self._check_destinations(call, bucket, configuration)
        self.save_setting(bucket, "notification", configuration or None)

    @operation("GetBucketNotificationConfiguration")
    def get_bucket_notification_configuration(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self.bucket(call, request).settings.get("notification") or {})

    def _check_destinations(self, call: Call, bucket: Bucket, configuration: Mapping[str, Any]) -> None:
        """Each destination must be there; queues and topics get the test event."""
        known = {
            rule[member]
            for kind, (member, _) in _KINDS.items()
            for rule in (bucket.settings.get("notification") or {}).get(kind) or ()
        }
        test = {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": _iso(call.now),
            "Bucket": bucket.name,
            "RequestId": call.request_id,
            "HostId": call.request_id,
        }
        for kind, (member, service) in _KINDS.items():
            for rule in configuration.get(kind) or ():
                arn = rule[member]
                try:
                    place = Arn.parse(arn)
                    if service == "lambda":
                        self.cloud.call(
                            "lambda",
                            "GetFunctionConfiguration",
                            {"FunctionName": arn},
                            account=place.account,
                            region=place.region,
                        )
                    elif arn not in known:
                        target = {"service": service, "arn": arn}
                        self._send(target, bucket.name, bucket.account, bucket.region, orjson.dumps(test))
                except NotEmulated:
                    raise
                except (ValueError, AwsError):
                    raise InvalidArgument(_INVALID, ArgumentName1=arn, ArgumentValue1="null") from None


def _checked(rule: Mapping[str, Any], member: str, new_id: str) -> dict[str, Any]:
    if not rule.get(member) or not rule.get("Events"):
        raise MalformedXML
    if member not in ("QueueArn", "TopicArn", "LambdaFunctionArn") or not rule[member].startswith("arn:"):
        raise InvalidArgument("The ARN could not be parsed", ArgumentName=member, ArgumentValue=rule[member])
    if member == "QueueArn" and rule[member].endswith(".fifo"):
        raise InvalidArgument(
            "FIFO SQS queues are not supported as a destination of S3 event notifications",
            ArgumentName=member,
            ArgumentValue=rule[member],
        )
    for event in rule["Events"]:
        if event.startswith(_NEVER_HERE):
            raise NotEmulated(f"the S3 event type {event}")
        if event not in _EVENTS:
            raise InvalidArgument(
                "The event is not supported for notifications", ArgumentName="Event", ArgumentValue=event
            )
    seen = set()
    for item in ((rule.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ():
        name = str(item.get("Name", "")).lower()
        if name not in ("prefix", "suffix"):
            raise InvalidArgument(
                "filter rule name must be either prefix or suffix",
                ArgumentName="FilterRule.Name",
                ArgumentValue=item.get("Name"),
            )
        if name in seen:
            raise InvalidArgument(
                f"Cannot specify more than one {name} rule in a filter.", ArgumentName="FilterRule.Name"
            )
        seen.add(name)
        if len(item.get("Value", "")) > 1024:
            raise InvalidArgument(
                "filter value cannot be longer than 1024 characters", ArgumentName="FilterRule.Value"
            )
    return {**rule, "Id": rule.get("Id") or new_id}


def _check_overlaps(rules: Sequence[Mapping[str, Any]]) -> None:
    """Two rules must not both match one event of one key."""
    for one, other in combinations(rules, 2):
        if one["Id"] == other["Id"]:
            raise InvalidArgument(
                "Same ID used for multiple configurations", ArgumentName="id", ArgumentValue=one["Id"]
            )
        if not _share_event(one["Events"], other["Events"]):
            continue
        (prefix_a, suffix_a), (prefix_b, suffix_b) = _filters(one), _filters(other)
        prefixes = prefix_a.startswith(prefix_b) or prefix_b.startswith(prefix_a)
        suffixes = suffix_a.endswith(suffix_b) or suffix_b.endswith(suffix_a)
        if prefixes and suffixes:
            if not any((prefix_a, prefix_b, suffix_a, suffix_b)):
                raise InvalidArgument(
                    "Configurations overlap. Configurations on the same bucket cannot share a common event type."
                )
            raise InvalidArgument(
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes"
                " are overlapping for the same event type."
            )


def _share_event(one: Iterable[str], other: Iterable[str]) -> bool:
    return any(
        _covers(a, b.removeprefix("s3:")) or _covers(b, a.removeprefix("s3:")) for a in one for b in other
    )


def _record(fact: Mapping[str, Any]) -> dict[str, Any]:
    thing = {
        "key": quote_plus(fact["key"], safe="/*-._"),
        "size": fact["size"],
        "eTag": fact["etag"],
        "versionId": fact["version"],
        "sequencer": fact["sequencer"],
    }
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": fact["region"],
        "eventTime": _iso(fact["time"]),
        "eventName": fact["event"],
        "userIdentity": {"principalId": f"AWS:{fact['principal']}"},
        "requestParameters": {"sourceIPAddress": fact["source"]},
        "responseElements": {"x-amz-request-id": fact["request"], "x-amz-id-2": fact["request"]},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": fact["target"]["id"],
            "bucket": {
                "name": fact["bucket"],
                "ownerIdentity": {"principalId": fact["account"]},
                "arn": f"arn:aws:s3:::{fact['bucket']}",
            },
            "object": {name: value for name, value in thing.items() if value is not None},
        },
    }
