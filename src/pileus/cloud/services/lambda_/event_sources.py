"""Event source mappings: which queue's messages go to which function. The work itself is in poller.py."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Arn, AwsError, Call, NotEmulated, Principal, operation
from .base import Config
from .errors import (
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from .invocation import Invoking
from .names import FunctionName
from .paging import page
from .poller import QueuePoller

Request = Mapping[str, Any]
_SETTINGS = ("BatchSize", "MaximumBatchingWindowInSeconds", "ScalingConfig", "FunctionResponseTypes")
#: Of other sources than SQS, or without effect here.
_NOT_EMULATED = [
    "FilterCriteria",
    "KMSKeyArn",
    "MetricsConfig",
    "LoggingConfig",
    "DestinationConfig",
    "Topics",
    "Queues",
    "SourceAccessConfigurations",
    "SelfManagedEventSource",
    "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "ProvisionedPollerConfig",
    "Tags",
]
_OF_STREAMS = [
    "StartingPosition",
    "StartingPositionTimestamp",
    "ParallelizationFactor",
    "MaximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError",
    "MaximumRetryAttempts",
    "TumblingWindowInSeconds",
]


class EventSources(Invoking):
    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self._pollers: dict[str, QueuePoller] = {}
        self._polls = False

    @operation("CreateEventSourceMapping")
    def create_event_source_mapping(self, call: Call, request: Request) -> Config:
        self._check(request, "CreateEventSourceMapping")
        source = request.get("EventSourceArn")
        if source is None:
            raise NotEmulated("lambda CreateEventSourceMapping.SelfManagedEventSource")
        if Arn.parse(source).service != "sqs":
            raise NotEmulated(
                f"lambda CreateEventSourceMapping.EventSourceArn of {Arn.parse(source).service}"
            )
        for member in _OF_STREAMS:
            if request.get(member) is not None:
                raise InvalidParameterValueException(
                    f"Unsupported {member} parameter for given event source mapping type."
                )
        name = FunctionName.of(call, request["FunctionName"])
        self._check_free(name, source)
        identifier = call.ids.uuid()
        mapping: Config = {
            "UUID": identifier,
            "BatchSize": 10,
            "MaximumBatchingWindowInSeconds": 0,
            "EventSourceArn": source,
            "FunctionArn": name.qualified_arn,
            "State": "Enabled" if request.get("Enabled", True) else "Disabled",
            "StateTransitionReason": "USER_INITIATED",
            "FunctionResponseTypes": [],
            "EventSourceMappingArn": call.arn(f"event-source-mapping:{identifier}"),
        }
        return {**self._save_mapping(call, name, mapping, request), "State": "Creating"}

    def _save_mapping(self, call: Call, name: FunctionName, mapping: Config, request: Request) -> Config:
        mapping = {**mapping, **{member: request[member] for member in _SETTINGS if member in request}}
        mapping["LastModified"] = call.now
        if mapping.get("ScalingConfig") == {}:
            del mapping["ScalingConfig"]
        self._check_queue(call, name, mapping)
        place = (call.account, call.region, mapping["UUID"])
        self.store.execute(
            "INSERT OR REPLACE INTO lambda_event_source (account,region,uuid,name,source,config) VALUES (?,?,?,?,?,?)",
            (*place, name.name, mapping["EventSourceArn"], orjson.dumps(mapping)),
        )
        self.store.after_commit(lambda: self._poll(call.account, call.region, mapping))
        return mapping

    def _check(self, request: Request, operation_name: str) -> None:
        for member in _NOT_EMULATED:
            if request.get(member):
                raise NotEmulated(f"lambda {operation_name}.{member}")

    def _check_free(self, name: FunctionName, source: str) -> None:
        for row in self.store.all(
            "SELECT uuid, config FROM lambda_event_source WHERE account=? AND region=? AND name=? AND source=?",
            (*name.key, source),
        ):
            if orjson.loads(row["config"])["FunctionArn"] == name.qualified_arn:
                raise ResourceConflictException(
                    f'The event source arn (" {source} ") and function (" {name.name} ") provided mapping already '
                    f"exists. Please update or delete the existing mapping with UUID {row['uuid']}"
                )

    def _check_queue(self, call: Call, name: FunctionName, mapping: Config) -> None:
        function = self.version(name)
        source = Arn.parse(mapping["EventSourceArn"])
        window, size = mapping["MaximumBatchingWindowInSeconds"], mapping["BatchSize"]
        if source.resource.endswith(".fifo"):
            if size > 10:
                raise InvalidParameterValueException("Batch size must be no greater than 10 for FIFO queues.")
            if window:
                raise InvalidParameterValueException("Batching window is not supported for FIFO queues.")
        if size > 10 and not window:
            raise InvalidParameterValueException(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
            )
        attributes = self._queue_attributes(call, source)
        visibility, timeout = int(attributes["VisibilityTimeout"]), function.config["Timeout"]
        if visibility < timeout:
            raise InvalidParameterValueException(
                f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
            )

    def _queue_attributes(self, call: Call, source: Arn) -> Mapping[str, str]:
        place: dict[str, Any] = {"account": source.account, "region": source.region}
        try:
            url = self.cloud.call("sqs", "GetQueueUrl", {"QueueName": source.resource}, **place)["QueueUrl"]
            request = {"QueueUrl": url, "AttributeNames": ["VisibilityTimeout"]}
            found: Mapping[str, str] = self.cloud.call("sqs", "GetQueueAttributes", request, **place)[
                "Attributes"
            ]
        except NotEmulated:
            raise
        except AwsError as error:
            raise InvalidParameterValueException(
                f"Error occurred while ReceiveMessage. SQS Error Code: {error.code}. SQS Error Message: {error.message}"
            ) from None
        return found

    # -- reading and changing -----------------------------------------------------------------------------------------

    def _mapping(self, call: Call, request: Request) -> Config:
        row = self.store.one(
            "SELECT config FROM lambda_event_source WHERE account=? AND region=? AND uuid=?",
            (call.account, call.region, request["UUID"]),
        )
        if row is None:
            raise ResourceNotFoundException("The resource you requested does not exist.")
        found: Config = orjson.loads(row["config"])
        return found

    @operation("GetEventSourceMapping")
    def get_event_source_mapping(self, call: Call, request: Request) -> Config:
        return self._mapping(call, request)

    @operation("ListEventSourceMappings")
    def list_event_source_mappings(self, call: Call, request: Request) -> Config:
        sql = "SELECT uuid, config FROM lambda_event_source WHERE account=? AND region=?"
        arguments = [call.account, call.region]
        if request.get("FunctionName"):
            sql += " AND name=?"
            arguments.append(FunctionName.of(call, request["FunctionName"]).name)
        if request.get("EventSourceArn"):
            sql += " AND source=?"
            arguments.append(request["EventSourceArn"])
        rows, marker = page(self.store, sql, arguments, ("uuid",), request, default=100)
        return {"EventSourceMappings": [orjson.loads(row["config"]) for row in rows], "NextMarker": marker}

    @operation("UpdateEventSourceMapping")
    def update_event_source_mapping(self, call: Call, request: Request) -> Config:
        self._check(request, "UpdateEventSourceMapping")
        mapping = self._mapping(call, request)
        name = FunctionName.of(call, request.get("FunctionName") or mapping["FunctionArn"])
        mapping["FunctionArn"] = name.qualified_arn
        shown = "Updating"
        if "Enabled" in request:
            state = "Enabled" if request["Enabled"] else "Disabled"
            shown = (
                shown
                if state == mapping["State"]
                else {"Enabled": "Enabling", "Disabled": "Disabling"}[state]
            )
            mapping["State"] = state
        return {**self._save_mapping(call, name, mapping, request), "State": shown}

    @operation("DeleteEventSourceMapping")
    def delete_event_source_mapping(self, call: Call, request: Request) -> Config:
        mapping = self._mapping(call, request)
        self.store.execute(
            "DELETE FROM lambda_event_source WHERE account=? AND region=? AND uuid=?",
            (call.account, call.region, request["UUID"]),
        )
        self.store.after_commit(lambda: self._end_poller(mapping["UUID"]))
        return {**mapping, "State": "Deleting"}

    # -- pollers --------------------------------------------------------------------------------------------------------

    def start_pollers(self) -> None:
        self._polls = True
        for row in self.store.all("SELECT account, region, config FROM lambda_event_source"):
            self._poll(row["account"], row["region"], orjson.loads(row["config"]))

    async def stop_pollers(self) -> None:
        self._polls = False
        pollers, self._pollers = list(self._pollers.values()), {}
        await asyncio.gather(*(poller.stop() for poller in pollers))

    def pollers_busy(self) -> bool:
        return any(poller.is_busy for poller in self._pollers.values())

    def _poll(self, account: str, region: str, mapping: Config) -> None:
        """Begins to poll, or goes on with the mapping's new settings."""
        poller = self._pollers.get(mapping["UUID"])
        if mapping["State"] != "Enabled":
            self._end_poller(mapping["UUID"])
        elif poller is not None:
            poller.mapping = mapping
        elif self._polls:
            self._pollers[mapping["UUID"]] = QueuePoller(self, mapping)

    def _end_poller(self, identifier: str) -> None:
        poller = self._pollers.pop(identifier, None)
        if poller is not None:
            poller.end()

    def poller_principal(self, function_arn: str) -> Principal:
        """Lambda polls as the function's role."""
        name = FunctionName.parse(function_arn, "", "")
        role = self.version(name).config["Role"]
        account = Arn.parse(role).account
        session = f"arn:aws:sts::{account}:assumed-role/{role.rsplit('/', 1)[-1]}/{name.name}"
        return Principal("role", account, session)
