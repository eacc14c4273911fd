"""An image that a user uploads, from the moment they ask for the URL."""

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["pending", "processed", "rejected"]

ORIGINALS = "uploads/"
THUMBNAILS = "thumbnails/"


@dataclass(frozen=True, slots=True)
class Upload:
    """reason: why it was rejected. expires_at: epoch seconds; None once it is processed."""

    id: str
    user_id: str
    status: Status
    created_at: str
    expires_at: int | None = None
    reason: str | None = None

    @property
    def key(self) -> str:
        return f"{ORIGINALS}{self.user_id}/{self.id}.jpg"

    @property
    def thumbnail_key(self) -> str:
        return thumbnail_key(self.key)

    @classmethod
    def of(cls, item: dict[str, Any]) -> "Upload":
        return cls(
            id=item["id"],
            user_id=item["userId"],
            status=item["status"],
            created_at=item["createdAt"],
            expires_at=int(item["expiresAt"]) if "expiresAt" in item else None,
            reason=item.get("reason"),
        )

    def public(self) -> dict[str, Any]:
        shown = {"id": self.id, "status": self.status, "reason": self.reason, "createdAt": self.created_at}
        return {name: value for name, value in shown.items() if value is not None}


def thumbnail_key(key: str) -> str:
    return THUMBNAILS + key.removeprefix(ORIGINALS)


def upload_id(key: str) -> str:
    """`uploads/<user>/<id>.jpg` → `<id>`"""
    return key.rpartition("/")[2].removesuffix(".jpg")
