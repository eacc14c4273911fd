"""A user, as stored and as shown."""

from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["user", "admin"]


def normalise_email(email: str) -> str:
    """The form in which addresses are compared. By the RFC only domains ignore case; no provider minds."""
    return email.strip().lower()


@dataclass(frozen=True, slots=True)
class User:
    """verification_id: names the address to be confirmed; a new one with every change of the address.

    expires_at: epoch seconds at which a user who never confirmed an address is removed; None once confirmed.
    notified_at: when the mail with the confirmation link was handed to SES.
    """

    id: str
    email: str
    name: str
    role: Role
    verified: bool
    password_hash: str
    verification_id: str
    created_at: str
    updated_at: str
    expires_at: int | None = None
    notified_at: str | None = None

    def item(self) -> dict[str, Any]:
        item = {
            "id": self.id,
            "email": self.email,
            "name": self.name,
            "role": self.role,
            "verified": self.verified,
            "passwordHash": self.password_hash,
            "verificationId": self.verification_id,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            "notifiedAt": self.notified_at,
        }
        if self.expires_at is not None:
            item |= {"expiresAt": self.expires_at, "verification": "pending"}
        return {name: value for name, value in item.items() if value is not None}

    @classmethod
    def of(cls, item: dict[str, Any]) -> "User":
        return cls(
            id=item["id"],
            email=item["email"],
            name=item["name"],
            role=item["role"],
            verified=item["verified"],
            password_hash=item["passwordHash"],
            verification_id=item["verificationId"],
            created_at=item["createdAt"],
            updated_at=item["updatedAt"],
            expires_at=int(item["expiresAt"]) if "expiresAt" in item else None,
            notified_at=item.get("notifiedAt"),
        )

    def public(self) -> dict[str, Any]:
        """What leaves the service: never the hash, nor what would confirm the address."""
        return {
            "id": self.id,
            "email": self.email,
            "name": self.name,
            "role": self.role,
            "verified": self.verified,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
        }
