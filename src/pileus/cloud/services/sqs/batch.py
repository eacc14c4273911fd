"""What the batch operations share: the checks of the whole, and failure entry by entry."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...kernel import AwsError, Store
from .errors import (
    BatchEntryIdsNotDistinct,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    TooManyEntriesInBatchRequest,
)

_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")

Entry = Mapping[str, Any]


def check_batch(entries: Sequence[Entry] | None, shape: str) -> Sequence[Entry]:
    """shape: the entry's name in the model, for the words of the error."""
    if not entries:
        raise EmptyBatchRequest(shape)
    if len(entries) > 10:
        raise TooManyEntriesInBatchRequest(len(entries))
    seen: set[str] = set()
    for entry in entries:
        entry_id = entry["Id"]
        if not _ID.fullmatch(entry_id):
            raise InvalidBatchEntryId
        if entry_id in seen:
            raise BatchEntryIdsNotDistinct(entry_id)
        seen.add(entry_id)
    return entries


def each(
    store: Store, entries: Sequence[Entry], act: Callable[[Entry], Mapping[str, Any] | None]
) -> dict[str, list[dict[str, Any]]]:
    """Runs `act` on every entry, each all or nothing, and gathers `Successful` and `Failed`."""
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in entries:
        try:
            with store.transaction():
                result = act(entry)
        except AwsError as error:
            failed.append(
                {
                    "Id": entry["Id"],
                    "SenderFault": error.is_sender_fault,
                    "Code": error.code,
                    "Message": error.message,
                }
            )
        else:
            done.append({"Id": entry["Id"], **(result or {})})
    answer: dict[str, list[dict[str, Any]]] = {}
    if done:
        answer["Successful"] = done
    if failed:
        answer["Failed"] = failed
    return answer
