"""S3 ObjectCreated under uploads/: writes the thumbnail.

An image that cannot be one is reported and left; what may pass (S3 or DynamoDB out of reach) is raised, and Lambda
tries again. Running twice writes the same thumbnail twice.
"""

from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import S3Event

from src.middleware.instrument import instrument
from src.models.upload import thumbnail_key
from src.services import uploads
from src.services.thumbnails import MAX_BYTES, Rejected, thumbnail
from src.shared.observability import logger, metrics, tracer


def process(event: dict[str, Any], _context: Any) -> None:
    for record in S3Event(event).records:
        # the event's keys are form-encoded
        _process_object(unquote_plus(record.s3.get_object.key), record.s3.get_object.size)


@tracer.capture_method(capture_response=False)
def _process_object(key: str, size: int) -> None:
    try:
        if size > MAX_BYTES:  # spares the download
            raise Rejected(f"larger than {MAX_BYTES} bytes")
        image = uploads.read_object(key, MAX_BYTES)
        if image is None:
            logger.info("object is gone", key=key)
            return
        uploads.write_thumbnail(thumbnail_key(key), thumbnail(image))
    except Rejected as rejected:
        logger.warning("image rejected", key=key, reason=rejected.reason, cause=str(rejected.__cause__))
        metrics.add_metric("ImagesRejected", MetricUnit.Count, 1)
        uploads.mark_rejected(key, rejected.reason)
        return
    uploads.mark_processed(key)
    metrics.add_metric("ImagesProcessed", MetricUnit.Count, 1)


handler = instrument(process)
