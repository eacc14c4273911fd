"""A bucket as the operations need it, and what may be a bucket's or an object's name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from ...kernel import Row
from .errors import InvalidArgument, InvalidBucketName, InvalidURI, KeyTooLongError

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_MAX_KEY_BYTES = 1024


@dataclass(slots=True, eq=False)
class Bucket:
    """versioning: None, `Enabled` or `Suspended`. settings: each configuration as it was put, by its setting's name."""

    id: int
    name: str
    account: str
    region: str
    created: float
    versioning: str | None
    settings: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, row: Row, settings: list[Row]) -> Bucket:
        return cls(
            row["id"],
            row["name"],
            row["account"],
            row["region"],
            row["created"],
            row["versioning"],
            {setting["name"]: orjson.loads(setting["value"]) for setting in settings},
        )

    @property
    def arn(self) -> str:
        return f"arn:aws:s3:::{self.name}"

    @property
    def owner(self) -> dict[str, str]:
        return {"ID": canonical_id(self.account)}

    @property
    def ownership(self) -> str:
        return str(self.settings.get("ownership", "BucketOwnerEnforced"))


def canonical_id(account: str) -> str:
    """The canonical user id of an account: 64 hexadecimal digits."""
    return sha256(f"canonical-user:{account}".encode()).hexdigest()


def check_bucket_name(name: str) -> None:
    """Source: S3 user guide, "General purpose bucket naming rules"."""
    if (
        not _NAME.fullmatch(name)
        or ".." in name
        or _ADDRESS.fullmatch(name)
        or (name.startswith(_RESERVED_PREFIXES) and not name.startswith("amzn-s3-demo-bucket"))
        or name.endswith(_RESERVED_SUFFIXES)
    ):
        raise InvalidBucketName(BucketName=name)


def check_key(key: str) -> None:
    if not key:
        raise InvalidArgument("A key must be specified.", ArgumentName="Key", ArgumentValue="")
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise InvalidURI from None
    if size > _MAX_KEY_BYTES:
        raise KeyTooLongError(Size=size, MaxSizeAllowed=_MAX_KEY_BYTES)
    if "\0" in key:
        raise InvalidArgument("Object key contains a NUL character.", ArgumentName="Key", ArgumentValue=key)
