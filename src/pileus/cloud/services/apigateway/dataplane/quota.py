"""How fast and how often: token buckets (throttling) and the quotas of usage plans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pileus.cloud.kernel import Store

_MOST_BUCKETS = 50_000


class Buckets:
    """Token buckets in memory: a bucket that is gone is a full one."""

    def __init__(self) -> None:
        self._levels: dict[tuple[str, ...], tuple[float, float]] = {}

    def take(self, name: tuple[str, ...], rate: float, burst: float, now: float) -> bool:
        """Takes one token. rate: tokens a second. burst: the most that there are."""
        level, since = self._levels.get(name, (float(burst), now))
        level = min(burst, level + (now - since) * rate)
        if level < 1:
            return False
        if len(self._levels) >= _MOST_BUCKETS:
            self._levels.clear()
        self._levels[name] = (level - 1, now)
        return True

    def clear(self) -> None:
        self._levels.clear()


class Quotas:
    """Counts the requests of each key in each plan; durable by day, the running period's sum kept in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sums: dict[tuple[str, str, str, str], tuple[date, int]] = {}

    def take(
        self, place: tuple[str, str], plan_id: str, key_id: str, quota: Mapping[str, Any], now: float
    ) -> bool:
        """Counts one request, unless the quota of its period is used up."""
        today = datetime.fromtimestamp(now, UTC).date()
        since = period_start(quota, today)
        name = (*place, plan_id, key_id)
        known = self._sums.get(name)
        used = known[1] if known is not None and known[0] == since else self._sum(name, since)
        if used >= quota["limit"]:
            self._sums[name] = (since, used)
            return False
        self._count(name, today)
        self._sums[name] = (since, used + 1)
        return True

    def count(self, place: tuple[str, str], plan_id: str, key_id: str, now: float) -> None:
        """Counts one request of a plan without a quota."""
        self._count((*place, plan_id, key_id), datetime.fromtimestamp(now, UTC).date())

    def _count(self, name: tuple[str, str, str, str], today: date) -> None:
        with self._store.transaction():
            self._store.execute(
                "INSERT INTO apigateway_usage (account,region,plan,key,day,used) VALUES (?,?,?,?,?,1)"
                " ON CONFLICT (account,region,plan,key,day) DO UPDATE SET used=used+1",
                (*name, today.isoformat()),
            )

    def _sum(self, name: tuple[str, str, str, str], since: date) -> int:
        row = self._store.one(
            "SELECT total(used) FROM apigateway_usage WHERE account=? AND region=? AND plan=? AND key=? AND day>=?",
            (*name, since.isoformat()),
        )
        return int(row[0]) if row is not None else 0

    def clear(self) -> None:
        self._sums.clear()


def period_start(quota: Mapping[str, Any], day: date) -> date:
    """The first day of the quota's period that `day` is in. offset: days after its usual first (Sunday, the 1st)."""
    offset = quota.get("offset", 0)
    if quota["period"] == "DAY":
        return day
    if quota["period"] == "WEEK":
        since_sunday = (day.weekday() + 1) % 7
        return day - timedelta((since_sunday - offset) % 7)
    first = day.replace(day=1 + offset)
    if first > day:
        first = (day.replace(day=1) - timedelta(1)).replace(day=1 + offset)
    return first
