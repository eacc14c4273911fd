"""Asynchronous invocations: the queue's consumer, retries, event age, dead letters, destinations, and their settings."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from ...kernel import Arn, AwsError, Call, Job, NotEmulated, Principal, consumer, operation
from ...runtime import Outcome
from ...runtime.execution import error_document
from .base import PRINCIPAL, Config, log
from .errors import (
    InvalidParameterValueException,
    LambdaError,
    RecursiveInvocationException,
    ResourceNotFoundException,
    TooManyRequestsException,
)
from .invocation import Invoking, Target
from .names import LATEST, FunctionName
from .paging import page

Request = Mapping[str, Any]
_RETRY_AFTER = (60.0, 120.0)
_LONGEST_AGE = 21_600
_THROTTLED_MOST = 300.0
_DESTINATIONS = ("sqs", "sns", "lambda", "events")


class AsyncEvents(Invoking):
    @consumer("lambda.invoke")
    async def handle_event(self, job: Job) -> None:
        """One attempt. What is left to do afterwards (a retry, a record for a destination) is a new job, in one
        transaction; the request id stays the same over all attempts."""
        event = job.payload
        try:
            target = self.target(event["function"])
        except ResourceNotFoundException:
            log.warning("an event for %s was dropped: the function is gone", event["function"])
            return
        config = self.event_config(target.name)
        age = self.clock.now() - event["accepted"]
        longest = config.get("MaximumEventAgeInSeconds", _LONGEST_AGE)
        if age > longest:
            self._give_up(target, config, event, "EventAgeExceeded", None)
            return
        try:
            # each attempt of an event counts once: the trace in the queue stays as it came
            trace = self.lineage(target, event["trace"])
            _, outcome = await self.run(target, event["payload"].encode(), event["request_id"], trace)
        except RecursiveInvocationException as error:
            outcome = Outcome(error_document(error.code, error.message), error=True)
            self._give_up(target, config, event, "RecursiveInvocation", outcome)
            return
        except LambdaError as error:
            self._throttled(target, config, event, longest - age, error)
            return
        event = {**event, "attempts": event["attempts"] + 1}
        if not outcome.error:
            self._succeeded(target, config, event, outcome)
        elif event["attempts"] > config.get("MaximumRetryAttempts", 2):
            self._give_up(target, config, event, "RetriesExhausted", outcome)
        else:
            wait = _RETRY_AFTER[min(event["attempts"], len(_RETRY_AFTER)) - 1]
            if wait > longest - age:
                self._give_up(target, config, event, "EventAgeExceeded", outcome)
            else:
                self._again(event, wait)

    def _again(self, event: Config, seconds: float) -> None:
        with self.store.transaction():
            self.bus.publish("lambda.invoke", event, due=self.clock.now() + seconds)

    def _throttled(
        self, target: Target, config: Config, event: Config, left: float, error: LambdaError
    ) -> None:
        """Throttles and system errors are tried for as long as the event may live, from 1 s to 5 min apart."""
        if not isinstance(error, TooManyRequestsException):
            log.warning("%s: %s", target.arn, error.message)
        if target.reserved == 0:
            left = 0.0
        wait = min(2.0 ** event["throttles"], _THROTTLED_MOST)
        if wait > left:
            self._give_up(
                target, config, event, "EventAgeExceeded" if left else "ZeroReservedConcurrency", None
            )
            return
        self._again({**event, "throttles": event["throttles"] + 1}, wait)

    # -- where results go -----------------------------------------------------------------------------------------------

    def _succeeded(self, target: Target, config: Config, event: Config, outcome: Outcome) -> None:
        destination = config.get("DestinationConfig", {}).get("OnSuccess", {}).get("Destination")
        if destination:
            self._send(target, destination, _record(target, event, "Success", outcome, self.clock.datetime()))

    def _give_up(
        self, target: Target, config: Config, event: Config, why: str, outcome: Outcome | None
    ) -> None:
        destination = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if destination:
            self._send(target, destination, _record(target, event, why, outcome, self.clock.datetime()))
        if target.dead_letter:
            self._dead_letter(target, event, outcome)

    def _send(self, target: Target, destination: str, record: Config) -> None:
        arn = Arn.parse(destination)
        body = orjson.dumps(record).decode()
        ok = record["requestContext"]["condition"] == "Success"
        with self.store.transaction():
            if arn.service == "lambda":
                self.invoke_async(destination, body.encode())
                return
            if arn.service == "sqs":
                self._deliver(
                    target, "sqs", "SendMessage", arn, {"QueueUrl": self._queue_url(arn), "MessageBody": body}
                )
            elif arn.service == "sns":
                self._deliver(target, "sns", "Publish", arn, {"TopicArn": destination, "Message": body})
            else:
                entry = {
                    "Source": "lambda",
                    "DetailType": f"Lambda Function Invocation Result - {'Success' if ok else 'Failure'}",
                    "Resources": [record["requestContext"]["functionArn"], destination],
                    "Detail": body,
                    "EventBusName": destination,
                }
                self._deliver(target, "events", "PutEvents", arn, {"Entries": [entry]})

    def _dead_letter(self, target: Target, event: Config, outcome: Outcome | None) -> None:
        """The event itself, with what went wrong as attributes."""
        arn = Arn.parse(target.dead_letter)
        message = _error_message(outcome) or "The event was not processed in time."
        attributes = {
            "RequestID": {"DataType": "String", "StringValue": event["request_id"]},
            "ErrorCode": {"DataType": "Number", "StringValue": "200" if outcome is not None else "429"},
            "ErrorMessage": {"DataType": "String", "StringValue": message[:1024]},
        }
        with self.store.transaction():
            if arn.service == "sqs":
                request = {"QueueUrl": self._queue_url(arn), "MessageBody": event["payload"]}
                self._deliver(target, "sqs", "SendMessage", arn, {**request, "MessageAttributes": attributes})
            else:
                request = {"TopicArn": target.dead_letter, "Message": event["payload"]}
                self._deliver(target, "sns", "Publish", arn, {**request, "MessageAttributes": attributes})

    def _deliver(self, target: Target, service: str, operation_name: str, arn: Arn, request: Config) -> None:
        """A destination that does not take the record loses it, as in AWS (DestinationDeliveryFailures)."""
        name = target.name
        principal = Principal.service(PRINCIPAL, name.account, name.arn)
        place: dict[str, Any] = {"account": arn.account, "region": arn.region, "principal": principal}
        try:
            self.cloud.call(service, operation_name, request, **place)
        except AwsError as error:
            log.warning("%s could not deliver to %s: %s", name.arn, arn, error)

    def _queue_url(self, arn: Arn) -> str:
        place: dict[str, Any] = {"account": arn.account, "region": arn.region}
        try:
            url: str = self.cloud.call("sqs", "GetQueueUrl", {"QueueName": arn.resource}, **place)["QueueUrl"]
        except AwsError:
            return f"{self.cloud.settings.endpoint}/{arn.account}/{arn.resource}"
        return url

    # -- settings -----------------------------------------------------------------------------------------------------

    def event_config(self, name: FunctionName) -> Config:
        row = self.store.one(
            "SELECT config FROM lambda_event_invoke WHERE account=? AND region=? AND name=? AND qualifier=?",
            (*name.key, name.qualifier or LATEST),
        )
        return {} if row is None else orjson.loads(row["config"])

    @operation("PutFunctionEventInvokeConfig")
    def put_function_event_invoke_config(self, call: Call, request: Request) -> Config:
        return self._save_event_config(call, self._event_name(call, request), {}, request)

    @operation("UpdateFunctionEventInvokeConfig")
    def update_function_event_invoke_config(self, call: Call, request: Request) -> Config:
        name = self._event_name(call, request)
        return self._save_event_config(call, name, self._known_event_config(name), request)

    def _save_event_config(self, call: Call, name: FunctionName, config: Config, request: Request) -> Config:
        members = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
        config = {**config, **{member: request[member] for member in members if member in request}}
        if not any(member in config for member in members):
            raise InvalidParameterValueException(
                "You must specify at least one of error handling or destination setting."
            )
        for destination in config.get("DestinationConfig", {}).values():
            self._check_destination(destination.get("Destination"), name)
        config.update(FunctionArn=name.at(name.qualifier or LATEST).qualified_arn, LastModified=call.now)
        self.store.execute(
            "INSERT OR REPLACE INTO lambda_event_invoke (account,region,name,qualifier,config) VALUES (?,?,?,?,?)",
            (*name.key, name.qualifier or LATEST, orjson.dumps(config)),
        )
        return config

    def _check_destination(self, destination: str | None, name: FunctionName) -> None:
        if not destination:
            return
        service = destination.split(":")[2] if destination.startswith("arn:") else ""
        if service == "s3" or (service in _DESTINATIONS and service not in self.cloud.registry):
            raise NotEmulated(f"lambda PutFunctionEventInvokeConfig.DestinationConfig of {service}")
        if service not in _DESTINATIONS:
            raise InvalidParameterValueException(
                f"The provided destination config DestinationConfig is invalid: {destination}"
            )
        if destination == name.qualified_arn:
            raise InvalidParameterValueException(
                "You can't specify the function as a destination for itself."
            )

    @operation("GetFunctionEventInvokeConfig")
    def get_function_event_invoke_config(self, call: Call, request: Request) -> Config:
        return self._known_event_config(self._event_name(call, request))

    @operation("DeleteFunctionEventInvokeConfig")
    def delete_function_event_invoke_config(self, call: Call, request: Request) -> Config:
        name = self._event_name(call, request)
        self._known_event_config(name)
        self.store.execute(
            "DELETE FROM lambda_event_invoke WHERE account=? AND region=? AND name=? AND qualifier=?",
            (*name.key, name.qualifier or LATEST),
        )
        return {}

    @operation("ListFunctionEventInvokeConfigs")
    def list_function_event_invoke_configs(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self.function_row(name)
        rows, marker = page(
            self.store,
            "SELECT qualifier, config FROM lambda_event_invoke WHERE account=? AND region=? AND name=?",
            name.key,
            ("qualifier",),
            request,
            default=50,
        )
        return {"FunctionEventInvokeConfigs": [orjson.loads(r["config"]) for r in rows], "NextMarker": marker}

    def _event_name(self, call: Call, request: Request) -> FunctionName:
        name = FunctionName.of(call, request["FunctionName"], request.get("Qualifier"))
        self.version(name)
        return name

    def _known_event_config(self, name: FunctionName) -> Config:
        config = self.event_config(name)
        if not config:
            arn = name.at(name.qualifier or LATEST).qualified_arn
            raise ResourceNotFoundException(f"The function {arn} doesn't have an EventInvokeConfig")
        return config


def _record(target: Target, event: Config, condition: str, outcome: Outcome | None, now: datetime) -> Config:
    """What a destination gets, as the Lambda guide documents it."""
    name = target.name
    record: Config = {
        "version": "1.0",
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "requestContext": {
            "requestId": event["request_id"],
            "functionArn": name.at(name.qualifier or LATEST).qualified_arn,
            "condition": condition,
            "approximateInvokeCount": event["attempts"],
        },
        "requestPayload": _json(event["payload"].encode()),
    }
    if outcome is not None:
        context: Config = {"statusCode": 200, "executedVersion": target.specs[0][0].version}
        if outcome.error:
            context["functionError"] = "Unhandled"
        record["responseContext"] = context
        record["responsePayload"] = _json(outcome.payload)
    return record


def _json(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return base64.b64encode(payload).decode()


def _error_message(outcome: Outcome | None) -> str:
    document = _json(outcome.payload) if outcome is not None else None
    return str(document.get("errorMessage", "")) if isinstance(document, dict) else ""
