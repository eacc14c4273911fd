"""The service's own event bus: what others may want to know of.

An event names its user and nothing more, so that no personal data lies in queues; who listens reads the user.

The write to the table and the event are two calls. If the function dies between them, or EventBridge stays out of
reach, the event is lost; the nightly cleanup finds users who never got their mail and publishes again. A stream of the
table would close the gap at once, for one more function and its delay; a welcome mail can wait for the night.
"""

import json
import os
import time
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.metrics import MetricUnit

from src.shared.observability import logger, metrics

BUS = os.environ["EVENT_BUS"]
SOURCE = os.environ["POWERTOOLS_SERVICE_NAME"]
ATTEMPTS = 3


@cache
def _client() -> Any:
    """Made when it is needed: most functions that import this never publish."""
    return boto3.client("events")


def publish(kind: str, *, user_id: str, verification_id: str) -> bool:
    """False if the bus did not take it; that is logged and counted, never raised: what happened has happened."""
    detail = {"userId": user_id, "verificationId": verification_id}
    entry = {"EventBusName": BUS, "Source": SOURCE, "DetailType": kind, "Detail": json.dumps(detail)}
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(0.1 * 2**attempt)
        try:
            answer = _client().put_events(Entries=[entry])
        except Exception:  # noqa: BLE001 - whatever it is, the user exists and the cleanup repeats the event
            logger.exception("event not published", kind=kind, user_id=user_id)
            break
        if not answer["FailedEntryCount"]:
            return True
        logger.warning("event refused", kind=kind, user_id=user_id, error=answer["Entries"][0]["ErrorCode"])
    metrics.add_metric("EventsNotPublished", MetricUnit.Count, 1)
    return False
