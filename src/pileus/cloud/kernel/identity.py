"""Credentials: what an access key id stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .call import Principal


@dataclass(frozen=True, slots=True)
class Credential:
    """A key pair and whom it speaks for. expires: seconds since the epoch, None for ever."""

    access_key_id: str
    secret_access_key: str
    principal: Principal
    session_token: str | None = None
    expires: float | None = None
    active: bool = True


class CredentialSource(Protocol):
    """Implemented by iam (long-lived keys, `AKIA…`) and sts (sessions, `ASIA…`)."""

    def credential(self, access_key_id: str) -> Credential | None: ...
