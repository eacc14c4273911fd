"""Every night at 2 AM UTC: removes expired uploads and unverified users, and repeats events that were lost.

Each step can be repeated, so one that runs out of time, or is run twice, does no harm: the next night goes on.
"""

from datetime import datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from src.middleware.instrument import instrument
from src.services import cleanup
from src.shared.observability import logger, metrics
from src.shared.times import iso, now

RESERVE_MILLIS = 10_000


def clean_up(event: dict[str, Any], context: Any) -> dict[str, int]:
    """`time` of the event is the moment that counts, so that a delivery that comes late does the night's work."""
    moment = datetime.fromisoformat(event["time"]) if event.get("time") else now()

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > RESERVE_MILLIS

    done = {
        "UploadsRemoved": cleanup.remove_expired_uploads(moment, has_time),
        "UsersRemoved": cleanup.remove_unverified_users(moment, has_time),
        "EventsRepeated": cleanup.repeat_lost_events(moment, has_time),
    }
    for name, count in done.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    if not has_time():
        logger.warning("ran out of time; the rest is for the next night")
    logger.info("cleaned up", moment=iso(moment), **done)
    return done


handler = instrument(clean_up)
