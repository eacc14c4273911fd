"""DynamoDB transactions: several items change together or not at all."""

import random
import time
from typing import Any

ATTEMPTS = 4


class Cancelled(Exception):
    """Nothing was written. `reasons` has one code an action: None, ConditionalCheckFailed, TransactionConflict, …"""

    def __init__(self, reasons: list[str | None]) -> None:
        super().__init__(f"transaction cancelled: {reasons}")
        self.reasons = reasons

    def condition_failed(self, action: int) -> bool:
        return self.reasons[action] == "ConditionalCheckFailed"


def write_together(client: Any, *actions: dict[str, Any]) -> None:
    """Runs the actions, and again while all that stands against it is another transaction on the same items.

    The SDK does not retry that by itself. After it the loser's condition says what really happened.
    """
    for attempt in range(ATTEMPTS):
        try:
            client.transact_write_items(TransactItems=list(actions))
            return
        except client.exceptions.TransactionCanceledException as error:
            reasons = [_code(reason) for reason in error.response["CancellationReasons"]]
            undecided = "TransactionConflict" in reasons and "ConditionalCheckFailed" not in reasons
            if not undecided or attempt == ATTEMPTS - 1:
                raise Cancelled(reasons) from error
        time.sleep(random.uniform(0.5, 1) * 0.05 * 2**attempt)  # noqa: S311


def _code(reason: dict[str, Any]) -> str | None:
    code = reason.get("Code")
    return None if code == "None" else code
