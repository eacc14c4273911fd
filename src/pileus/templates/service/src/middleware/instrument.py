"""Wraps a handler in Powertools' logging, tracing and metrics, the same way for every function."""

from collections.abc import Callable
from typing import Any

from src.shared.observability import logger, metrics, tracer

Handler = Callable[..., Any]


def instrument(handler: Handler, *, correlation_id_path: str | None = None) -> Handler:
    """Every log line carries the request id and, if a path is given, the correlation id found there in the event.

    Neither event nor answer is recorded: they hold passwords and tokens.
    """
    measured = metrics.log_metrics(handler, capture_cold_start_metric=True)
    traced = tracer.capture_lambda_handler(measured, capture_response=False)
    return logger.inject_lambda_context(traced, correlation_id_path=correlation_id_path, clear_state=True)
