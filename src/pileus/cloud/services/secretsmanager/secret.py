"""Secrets, their versions and staging labels, as they lie in the store.

Values lie in the store as they were given: encryption at rest is not pretended. A KMS key is kept and shown, and
encrypts nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from ...kernel import Call, Row, Service
from .errors import (
    InvalidParameterException,
    InvalidRequestException,
    LimitExceededException,
    ResourceExistsException,
    ResourceNotFoundException,
)
from .schema import MIGRATIONS

CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
DAY = 86400.0
_DEPRECATED_KEPT = 100
_MOST_STAGES = 20
_LONGEST = 65536
_MISSING = "Secrets Manager can't find the specified secret."


@dataclass(slots=True)
class Secret:
    """detail: Description, KmsKeyId, Tags. deleted: when it was marked; purge: when it goes."""

    account: str
    region: str
    name: str
    arn: str
    created: float
    changed: float
    accessed: float | None
    deleted: float | None
    purge: float | None
    detail: dict[str, Any]
    policy: str | None

    @property
    def tags(self) -> dict[str, str]:
        return self.detail.get("Tags") or {}


@dataclass(frozen=True, slots=True)
class Value:
    """One of text and binary."""

    text: str | None = None
    binary: bytes | None = None

    @classmethod
    def of(cls, request: Any) -> Value | None:
        """What a request brings; None where it brings nothing. Raises InvalidParameterException."""
        text, binary = request.get("SecretString"), request.get("SecretBinary")
        if text is not None and binary is not None:
            raise InvalidParameterException(
                "You can't specify both a binary secret value and a string secret value in the same secret."
            )
        if text is None and binary is None:
            return None
        if len((text or "").encode()) > _LONGEST or len(binary or b"") > _LONGEST:
            raise InvalidParameterException(
                f"The secret value is too long: it can have at most {_LONGEST} bytes."
            )
        return cls(text, None if binary is None else bytes(binary))


class SecretStore(Service):
    """The store of secrets: the base of the service's parts."""

    name = "secretsmanager"
    migrations = MIGRATIONS

    def find(self, call: Call, secret_id: str) -> Secret | None:
        """By name, ARN, or ARN without its random end; one that is marked for deletion too."""
        value = secret_id
        if secret_id.startswith("arn:"):
            match = re.fullmatch(r"arn:aws:secretsmanager:([a-z0-9-]+):(\d{12}):secret:(.+)", secret_id)
            if match is None or (match[1], match[2]) != (call.region, call.account):
                return None
            row = self.store.one("SELECT * FROM secret WHERE arn=?", (secret_id,))
            if row is not None:
                return secret_of(row)
            value = match[3]
        row = self.store.one(
            "SELECT * FROM secret WHERE account=? AND region=? AND name=?", (call.account, call.region, value)
        )
        return None if row is None else secret_of(row)

    def secret(self, call: Call, secret_id: str, *, even_deleted: bool = False) -> Secret:
        """Raises ResourceNotFoundException; InvalidRequestException for one that is marked for deletion."""
        found = self.find(call, secret_id)
        if found is None:
            raise ResourceNotFoundException(_MISSING)
        if found.deleted is not None and not even_deleted:
            raise InvalidRequestException(
                "You can't perform this operation on the secret because it was marked for deletion."
            )
        return found

    def save(self, secret: Secret) -> None:
        self.store.execute(
            "INSERT OR REPLACE INTO secret (account,region,name,arn,created,changed,accessed,deleted,purge,detail,"
            "policy) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                secret.account,
                secret.region,
                secret.name,
                secret.arn,
                secret.created,
                secret.changed,
                secret.accessed,
                secret.deleted,
                secret.purge,
                orjson.dumps(secret.detail),
                secret.policy,
            ),
        )

    def remove(self, secret: Secret) -> None:
        for table in ("secret", "secret_version", "secret_stage"):
            self.store.execute(f"DELETE FROM {table} WHERE arn=?", (secret.arn,))

    # -- versions ---------------------------------------------------------------------------------------------------

    def put(self, secret: Secret, version: str, value: Value, stages: list[str], now: float) -> None:
        """Adds a version and moves the labels to it. Raises ResourceExistsException for another value of that id."""
        held = self.store.one(
            "SELECT text,binary FROM secret_version WHERE arn=? AND id=?", (secret.arn, version)
        )
        if held is not None:
            if Value(held["text"], held["binary"]) != value:
                raise ResourceExistsException(
                    f"You can't use ClientRequestToken {version} because that value is already in use for a version"
                    f" of secret {secret.arn}."
                )
            return  # the same request again
        self.store.execute(
            "INSERT INTO secret_version (arn,id,text,binary,created) VALUES (?,?,?,?,?)",
            (secret.arn, version, value.text, value.binary, now),
        )
        for stage in stages:
            self.move(secret, stage, version)
        if not self.stages(secret) or CURRENT not in self.stages(secret):
            self.move(secret, CURRENT, version)  # the first version is the current one
        self._forget_deprecated(secret, now)

    def move(self, secret: Secret, stage: str, version: str) -> None:
        """Puts a label on a version; the version that AWSCURRENT leaves becomes AWSPREVIOUS."""
        if stage == CURRENT:
            before = self.stages(secret).get(CURRENT)
            if before is not None and before != version:
                self._set(secret, PREVIOUS, before)
        self._set(secret, stage, version)
        if stage == CURRENT and self.stages(secret).get(PREVIOUS) == version:
            self.unset(secret, PREVIOUS)

    def _set(self, secret: Secret, stage: str, version: str) -> None:
        self.store.execute(
            "INSERT OR REPLACE INTO secret_stage (arn,stage,version) VALUES (?,?,?)",
            (secret.arn, stage, version),
        )
        if sum(held == version for held in self.stages(secret).values()) > _MOST_STAGES:
            raise LimitExceededException(f"A version can have at most {_MOST_STAGES} staging labels.")

    def unset(self, secret: Secret, stage: str) -> None:
        self.store.execute("DELETE FROM secret_stage WHERE arn=? AND stage=?", (secret.arn, stage))

    def stages(self, secret: Secret) -> dict[str, str]:
        """Version by label."""
        rows = self.store.all(
            "SELECT stage,version FROM secret_stage WHERE arn=? ORDER BY stage", (secret.arn,)
        )
        return {row["stage"]: row["version"] for row in rows}

    def versions_to_stages(self, secret: Secret) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for stage, version in self.stages(secret).items():
            found.setdefault(version, []).append(stage)
        return found

    def versions(self, secret: Secret) -> list[Row]:
        """The newest first."""
        return self.store.all(
            "SELECT id,created FROM secret_version WHERE arn=? ORDER BY created DESC, id", (secret.arn,)
        )

    def _forget_deprecated(self, secret: Secret, now: float) -> None:
        """Versions without a label go, but for the newest hundred and those of the last day."""
        self.store.execute(
            "DELETE FROM secret_version WHERE arn=? AND created<? AND id IN (SELECT v.id FROM secret_version v"
            " LEFT JOIN secret_stage s ON s.arn=v.arn AND s.version=v.id WHERE v.arn=? AND s.stage IS NULL"
            " ORDER BY v.created DESC LIMIT -1 OFFSET ?)",
            (secret.arn, now - DAY, secret.arn, _DEPRECATED_KEPT),
        )


def secret_of(row: Row) -> Secret:
    return Secret(
        row["account"],
        row["region"],
        row["name"],
        row["arn"],
        row["created"],
        row["changed"],
        row["accessed"],
        row["deleted"],
        row["purge"],
        orjson.loads(row["detail"]),
        row["policy"],
    )
