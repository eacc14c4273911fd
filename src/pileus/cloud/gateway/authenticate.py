"""Checks signatures: every request is signed by a key that the cloud knows, or anonymous where the service allows it."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping

from ..kernel.call import ANONYMOUS
from ..kernel.cloud import Cloud
from ..kernel.identity import Credential, find_credential
from ..protocol import sigv4
from .errors import authentication_error
from .exchange import Exchange

_MAX_KEYS = 4096
#: Operations that AWS takes unsigned.
_UNSIGNED = frozenset({("sts", "AssumeRoleWithWebIdentity"), ("sts", "AssumeRoleWithSAML")})


class Authenticator:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._keys: dict[tuple[str, str, str, str], bytes] = {}

    def verify(self, exchange: Exchange) -> None:
        """Sets the principal, account and region; raises the service family's error where the signature fails."""
        signature = exchange.signature
        if signature is None:
            self._anonymous(exchange)
            return
        credential = self._credential(exchange, signature)
        self._check_time(exchange, signature)
        key = self._signing_key(credential, signature)
        self._check_signed_headers(exchange, signature)
        payload_hash = _payload_hash(exchange)
        expected = sigv4.calculate(key, exchange.http, signature, payload_hash)
        if not sigv4.is_right(expected, signature):
            raise self._error(exchange, "mismatch")
        exchange.principal = credential.principal
        exchange.account = credential.principal.account
        exchange.region = signature.region
        if exchange.service == "s3":
            exchange.attributes["payload_sha256"] = payload_hash
            if payload_hash.startswith("STREAMING-"):
                exchange.attributes["signing_key"] = key
                exchange.attributes["signature"] = signature

    def verify_form(self, exchange: Exchange, fields: Mapping[str, str]) -> None:
        """S3's upload by form: what is signed is the policy document as it came, base64."""
        if "policy" not in fields:
            self._anonymous(exchange)
            return
        parts = fields.get("x-amz-credential", "").split("/")
        if len(parts) != 5 or fields.get("x-amz-algorithm") != sigv4.ALGORITHM:
            raise self._error(
                exchange, "incomplete", "The form's x-amz-algorithm or x-amz-credential is not valid."
            )
        signature = sigv4.Signature(
            parts[0],
            parts[1],
            parts[2],
            parts[3],
            "",
            fields.get("x-amz-signature", ""),
            fields.get("x-amz-date", ""),
            fields.get("x-amz-security-token"),
        )
        credential = self._credential(exchange, signature)
        key = self._signing_key(credential, signature)
        expected = hmac.new(key, fields["policy"].encode(), hashlib.sha256).hexdigest()
        if not sigv4.is_right(expected, signature):
            raise self._error(exchange, "mismatch")
        exchange.principal = credential.principal
        exchange.account = credential.principal.account
        exchange.region = signature.region

    def _anonymous(self, exchange: Exchange) -> None:
        exchange.principal = ANONYMOUS
        exchange.account = self._cloud.settings.account
        exchange.region = self._cloud.settings.region
        operation = exchange.match.operation if exchange.match is not None else ""
        if exchange.service != "s3" and (exchange.service, operation) not in _UNSIGNED:
            raise self._error(exchange, "missing")

    def _credential(self, exchange: Exchange, signature: sigv4.Signature) -> Credential:
        credential = find_credential(self._cloud, signature.access_key_id)
        if credential is None or not credential.active:
            raise self._error(exchange, "unknown-key")
        if credential.session_token is not None:
            if signature.token != credential.session_token:
                raise self._error(exchange, "invalid-token")
            if credential.expires is not None and credential.expires <= self._cloud.clock.now():
                raise self._error(exchange, "expired-token")
        return credential

    def _check_signed_headers(self, exchange: Exchange, signature: sigv4.Signature) -> None:
        """S3 wants every `x-amz-` header signed: one that was added to a presigned URL's request would change it."""
        signed = signature.signed_headers.split(";")
        if "host" not in signed:
            raise self._error(
                exchange,
                "mismatch",
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            )
        if exchange.service != "s3":
            return
        names = [
            name
            for name in exchange.http.headers
            if name[:6] == "x-amz-" and name not in signed and name != "x-amz-content-sha256"
        ]
        if names:
            raise self._error(exchange, "unsigned", HeadersNotSigned=", ".join(names))

    def _check_time(self, exchange: Exchange, signature: sigv4.Signature) -> None:
        # Clients sign with their own clock, which does not travel: so this is the wall's time, not the cloud's.
        signed_at = sigv4.timestamp(signature.date)
        if signed_at is None or not signature.date.startswith(signature.scope_date):
            raise self._error(
                exchange,
                "incomplete",
                f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{signature.scope_date}' != '{signature.date[:8]}', from '{signature.date}'.",
            )
        if exchange.presigned and signature.expires is not None:
            # A presigned URL's life is the cloud's time, so that tests can travel past it.
            if signed_at + signature.expires < self._cloud.clock.now():
                raise self._error(exchange, "expired-url", "Signature expired")
            return
        if wrong := sigv4.skew(signature, time.time()):
            raise self._error(exchange, "expired", wrong)

    def _signing_key(self, credential: Credential, signature: sigv4.Signature) -> bytes:
        parts = (credential.secret_access_key, signature.scope_date, signature.region, signature.service)
        key = self._keys.get(parts)
        if key is None:
            if len(self._keys) >= _MAX_KEYS:
                self._keys.clear()
            key = self._keys[parts] = sigv4.signing_key(*parts)
        return key

    @staticmethod
    def _error(exchange: Exchange, reason: str, message: str = "", **members: str) -> Exception:
        protocol = exchange.match.protocol if exchange.match is not None else "json"
        return authentication_error(reason, exchange.service, protocol, message, **members)


def _payload_hash(exchange: Exchange) -> str:
    request = exchange.http
    if exchange.service == "s3":
        if exchange.presigned:
            return request.headers.get("x-amz-content-sha256") or sigv4.UNSIGNED_PAYLOAD
        stated = request.headers.get("x-amz-content-sha256")
        if stated is not None:
            return stated  # S3 itself compares a stated hash with what arrives
    if not request.body:
        return sigv4.EMPTY_SHA256
    return hashlib.sha256(request.body).hexdigest()
