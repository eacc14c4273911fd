"""ListSecrets: filters, order and pages."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Call, operation
from .errors import InvalidNextTokenException, InvalidParameterException
from .secret import Secret, SecretStore, secret_of

Request = Mapping[str, Any]
Answer = dict[str, Any]

_SORTS = {
    "name": "name",
    "created-date": "created",
    "last-changed-date": "changed",
    "last-accessed-date": "accessed",
}


class Listing(SecretStore):
    @operation("ListSecrets")
    def list_secrets(self, call: Call, request: Request) -> Answer:
        secrets, token = self.page(call, request, request.get("MaxResults") or 100)
        found = [
            self.wire(secret) | {"SecretVersionsToStages": self.versions_to_stages(secret) or None}
            for secret in secrets
        ]
        return {"SecretList": found, "NextToken": token}

    def page(self, call: Call, request: Request, size: int) -> tuple[list[Secret], str | None]:
        column = _SORTS[request.get("SortBy") or "created-date"]
        order = "ASC" if request.get("SortOrder") == "asc" else "DESC"
        deleted = "1" if request.get("IncludePlannedDeletion") else "deleted IS NULL"
        filters = request.get("Filters") or []
        start = position(request)
        found: list[Secret] = []
        # filters are on words inside of names and tags, which no index has
        for number, row in enumerate(
            self.store.all(
                f"SELECT * FROM secret WHERE account=? AND region=? AND {deleted} ORDER BY {column} {order}, name"
                " LIMIT -1 OFFSET ?",
                (call.account, call.region, start),
            )
        ):
            secret = secret_of(row)
            if all(_passes(secret, item) for item in filters):
                if len(found) == size:
                    return found, next_token(start + number)
                found.append(secret)
        return found, None

    def wire(self, secret: Secret) -> Answer:
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "Description": secret.detail.get("Description"),
            "KmsKeyId": secret.detail.get("KmsKeyId"),
            "RotationEnabled": None,
            "LastChangedDate": secret.changed,
            "LastAccessedDate": secret.accessed,
            "DeletedDate": secret.deleted,
            "Tags": [{"Key": key, "Value": value} for key, value in secret.tags.items()] or None,
            "CreatedDate": secret.created,
        }


def _passes(secret: Secret, item: Mapping[str, Any]) -> bool:
    """One filter: any of its values. `!` before a value turns it round. Prefixes, as the API says."""
    key = item.get("Key")
    if key in ("primary-region", "owning-service"):
        return False  # no secret here is a replica, or belongs to a service
    texts = {
        "name": [secret.name],
        "description": [secret.detail.get("Description") or ""],
        "tag-key": list(secret.tags),
        "tag-value": list(secret.tags.values()),
    }
    values = item.get("Values")
    if not values:
        raise InvalidParameterException("You must specify a value for each filter.")
    if key == "all":
        every = [text for group in texts.values() for text in group]
        return any(_word(text, value) for value in values for text in every)
    if key not in texts:
        raise InvalidParameterException(f"Invalid filter key: {key}")
    for value in values:
        if value.startswith("!"):
            if not any(_starts(key, text, value[1:]) for text in texts[key]):
                return True
        elif any(_starts(key, text, value) for text in texts[key]):
            return True
    return False


def _starts(key: str, text: str, value: str) -> bool:
    """Names and tags are told apart by case, descriptions are matched word by word without it."""
    return _word(text, value) if key == "description" else text.startswith(value)


def _word(text: str, value: str) -> bool:
    return any(word.startswith(value.lower()) for word in re.split(r"[ /_+=.@-]", text.lower()))


def next_token(start: int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([start])).decode()


def position(request: Request) -> int:
    token = request.get("NextToken")
    if not token:
        return 0
    try:
        (start,) = orjson.loads(base64.urlsafe_b64decode(token))
        return int(start)
    except (ValueError, TypeError):
        raise InvalidNextTokenException("Invalid NextToken") from None
