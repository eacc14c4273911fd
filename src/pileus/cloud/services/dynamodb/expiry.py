"""Time to live: when the next item of each table expires, as one job on the bus a table.

AWS deletes an expired item "within a few days"; here it goes at its moment. An item that had expired already when it
was written stays a minute, as in AWS it would be seen for a while.
"""

from __future__ import annotations

from pileus.cloud.kernel import Cloud

from .storage import is_too_old
from .table import Table

TOPIC = "dynamodb.sweep"
_GRACE = 60.0


class Sweeps:
    """One sweep is due for each table that holds items with a time to live."""

    def __init__(self, cloud: Cloud) -> None:
        self._store = cloud.store
        self._bus = cloud.bus
        self._clock = cloud.clock

    def note(self, table: Table, at: float) -> None:
        """An item of the table expires at that moment."""
        now = self._clock.now()
        if is_too_old(at, now):
            return
        self.plan(table.id, at if at > now else now + _GRACE)

    def plan(self, table_id: int, due: float) -> None:
        row = self._store.one("SELECT due,job FROM dynamodb_sweep WHERE table_id=?", (table_id,))
        if row is not None:
            if row[0] <= due:
                return
            self._bus.cancel(row[1])
        job = self._bus.publish(TOPIC, {"table": table_id}, due=due)
        self._store.execute("INSERT OR REPLACE INTO dynamodb_sweep VALUES (?,?,?)", (table_id, due, job))

    def cancel(self, table_id: int) -> None:
        row = self._store.one("SELECT job FROM dynamodb_sweep WHERE table_id=?", (table_id,))
        if row is not None:
            self._bus.cancel(row[0])
            self._store.execute("DELETE FROM dynamodb_sweep WHERE table_id=?", (table_id,))
