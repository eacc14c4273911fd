"""Credentials: what an access key id stands for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

from .call import Principal
from .settings import ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from .cloud import Cloud


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


def find_credential(cloud: Cloud, access_key_id: str) -> Credential | None:
    """Whom an access key id stands for: the built-in root, the root of another account, a session, or a user."""
    if access_key_id == ROOT_ACCESS_KEY_ID:
        return _root(access_key_id, cloud.settings.account)
    if len(access_key_id) == 12 and access_key_id.isdigit():
        # the root of another account: its number as the key id, as the field's emulators have it
        return _root(access_key_id, access_key_id)
    source = "sts" if access_key_id.startswith("ASIA") else "iam"
    return cast("CredentialSource", cloud.service(source)).credential(access_key_id)


@lru_cache(maxsize=64)
def _root(access_key_id: str, account: str) -> Credential:
    return Credential(access_key_id, ROOT_SECRET_ACCESS_KEY, Principal.root(account, access_key_id))
