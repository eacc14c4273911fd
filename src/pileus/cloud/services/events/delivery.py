"""Delivery to targets: one durable job a target and event, retried and dead-lettered as AWS does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from ...kernel import Arn, AwsError, Job, NotEmulated, Principal, Retry, consumer

if TYPE_CHECKING:
    from ...kernel import Cloud

#: Services that a rule's target may name.
TARGETS = frozenset({"lambda", "sqs", "sns", "logs", "events"})
_MAX_AGE = 86_400
_MAX_RETRIES = 185
_PRINCIPAL = "events.amazonaws.com"
#: Errors that come again however often one tries; AWS hands these to the dead-letter queue at once.
_FINAL = frozenset(
    {"ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NotFound"}
)


class Delivery:
    """Mixed into the service."""

    if TYPE_CHECKING:
        cloud: Cloud

        def put_on_bus(self, account: str, region: str, bus: str, event: dict[str, Any]) -> None: ...

    @consumer("events.deliver")
    def deliver(self, job: Job) -> None:
        """Payload: account, region, rule_arn, target (as PutTargets took it), body (text), trace."""
        facts = job.payload
        target = facts["target"]
        try:
            self._hand_over(facts, target)
        except AwsError as error:
            self._failed(job, target, error)

    def _hand_over(self, facts: Mapping[str, Any], target: Mapping[str, Any]) -> None:
        arn = Arn.parse(target["Arn"])
        body: str = facts["body"]
        principal = Principal.service(_PRINCIPAL, facts["account"], facts["rule_arn"])
        place = {"account": arn.account or facts["account"], "region": arn.region or facts["region"]}
        if arn.service == "lambda":
            self.cloud.functions.invoke_async(
                target["Arn"], body.encode(), trace=facts.get("trace"), source_arn=facts["rule_arn"]
            )
        elif arn.service == "sqs":
            self._call("sqs", "SendMessage", self._message(arn, target, body), place, principal)
        elif arn.service == "sns":
            self._call("sns", "Publish", {"TopicArn": target["Arn"], "Message": body}, place, principal)
        elif arn.service == "logs":
            group = target["Arn"].partition(":log-group:")[2].removesuffix(":*")
            moment = int(self.cloud.clock.now() * 1000)
            self.cloud.logs.append(
                place["account"], place["region"], group, self.cloud.ids.uuid(), [(moment, body)]
            )
        elif arn.service == "events":
            event = orjson.loads(body)
            self.put_on_bus(place["account"], place["region"], arn.name, event)
        else:
            raise NotEmulated(f"events target {target['Arn']}")

    def _call(
        self,
        service: str,
        operation: str,
        request: Mapping[str, Any],
        place: Mapping[str, str],
        principal: Principal,
    ) -> None:
        self.cloud.call(
            service, operation, request, account=place["account"], region=place["region"], principal=principal
        )

    def _message(self, arn: Arn, target: Mapping[str, Any], body: str) -> dict[str, Any]:
        request: dict[str, Any] = {
            "QueueUrl": f"{self.cloud.settings.endpoint}/{arn.account}/{arn.resource}",
            "MessageBody": body,
        }
        group = (target.get("SqsParameters") or {}).get("MessageGroupId")
        if group:
            request["MessageGroupId"] = group
        return request

    def _failed(self, job: Job, target: Mapping[str, Any], error: AwsError) -> None:
        policy = target.get("RetryPolicy") or {}
        retries = policy.get("MaximumRetryAttempts", _MAX_RETRIES)
        age = policy.get("MaximumEventAgeInSeconds", _MAX_AGE)
        waited = self.cloud.clock.now() - job.created
        final = error.code in _FINAL or isinstance(error, NotEmulated)
        if not final and job.attempt < retries and waited < age:
            raise Retry(min(2.0**job.attempt, 3600.0))
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if queue is None:
            return  # as in AWS, an event without a dead-letter queue is dropped
        condition = "MaximumRetryAttempts" if job.attempt >= retries else "MaximumEventAgeInSeconds"
        attributes = {
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message or error.code,
            "RULE_ARN": job.payload["rule_arn"],
            "TARGET_ARN": target["Arn"],
            "RETRY_ATTEMPTS": str(job.attempt),
            **({} if final else {"EXHAUSTED_RETRY_CONDITION": condition}),
        }
        arn = Arn.parse(queue)
        request = self._message(arn, {}, job.payload["body"])
        request["MessageAttributes"] = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        principal = Principal.service(_PRINCIPAL, job.payload["account"], job.payload["rule_arn"])
        self._call("sqs", "SendMessage", request, {"account": arn.account, "region": arn.region}, principal)
