"""The night's work: removing uploads that came to nothing and users who never confirmed, repeating lost events."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain, takewhile
from typing import TypeVar

from src.services import uploads, users

SILENT_FOR = timedelta(minutes=15)

HasTime = Callable[[], bool]
T = TypeVar("T")


def remove_expired_uploads(moment: datetime, has_time: HasTime) -> int:
    found = chain(uploads.expired("pending", moment), uploads.expired("rejected", moment))
    return sum(uploads.remove(upload) for upload in _while(has_time, found))


def remove_unverified_users(moment: datetime, has_time: HasTime) -> int:
    found = users.unverified_until(moment)
    return sum(users.remove_unverified(user, moment) for user in _while(has_time, found))


def repeat_lost_events(moment: datetime, has_time: HasTime) -> int:
    found = users.unnotified_since(moment - SILENT_FOR, at=moment)
    return sum(users.announce_again(user) for user in _while(has_time, found))


def _while(has_time: HasTime, found: Iterable[T]) -> Iterator[T]:
    return takewhile(lambda _: has_time(), found)
