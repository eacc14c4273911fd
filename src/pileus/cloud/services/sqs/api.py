"""SQS, whole: the operations by what they are about.

queues (life, attributes, tags) · permissions · send · receive · visibility (delete, change) · move_tasks
"""

from __future__ import annotations

from .move_tasks import MoveTaskOperations
from .permissions import PermissionOperations
from .receive import ReceiveOperations
from .send import SendOperations
from .visibility import ReceiptOperations


class Sqs(PermissionOperations, SendOperations, ReceiveOperations, ReceiptOperations, MoveTaskOperations):
    """Also offers `wait_available(queue_arn, until)` to pollers inside the cloud."""
