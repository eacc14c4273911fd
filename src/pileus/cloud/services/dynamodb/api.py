"""Amazon DynamoDB's operations, joined."""

from __future__ import annotations

from .batches import Batches
from .items import Items
from .reads import Reads
from .settings import Settings
from .tables import Tables
from .transactions import Transactions


class DynamoDb(Tables, Settings, Items, Reads, Batches, Transactions):
    """One object a cloud; every group of operations stands in the module named after it."""
