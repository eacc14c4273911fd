"""SQS: user events, one mail each. A message that fails comes back alone, and after three receives goes to the DLQ."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from src.middleware.instrument import instrument
from src.services import notifications
from src.shared.observability import logger, metrics, tracer

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@tracer.capture_method(capture_response=False)
def send(record: SQSRecord) -> None:
    try:
        detail = record.json_body["detail"]
        notifications.ask_to_confirm(detail["userId"], detail["verificationId"])
    except Exception:
        logger.exception("notification failed", message_id=record.message_id)
        metrics.add_metric("NotificationsFailed", MetricUnit.Count, 1)
        raise


def send_all(event: dict[str, Any], context: Any) -> dict[str, Any]:
    notifications.idempotency.register_lambda_context(context)
    return process_partial_response(event=event, record_handler=send, processor=processor, context=context)


handler = instrument(send_all)
