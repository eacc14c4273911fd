"""Signature Version 4, from the verifying side: pure functions over a request's parts.

Source: "Create a signed AWS API request" and "Authenticating Requests (AWS Signature Version 4)" in AWS's references.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from ..kernel.http import HttpRequest

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_UNRESERVED = "-_.~"
_SKEW = 15 * 60
_WEEK = 7 * 86_400
#: AWS asks for a valid region; here also those that tools for local use write (`local`, `auto`).
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}")


class IncompleteSignature(Exception):
    """The Authorization header or the presigned query lacks a part; the message says which, in AWS's words."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request says about its signature.

    date: `YYYYMMDD'T'HHMMSS'Z'`. expires: seconds, of a presigned URL only.
    """

    access_key_id: str
    scope_date: str
    region: str
    service: str
    signed_headers: str
    signature: str
    date: str
    token: str | None
    expires: int | None = None

    @property
    def scope(self) -> str:
        return f"{self.scope_date}/{self.region}/{self.service}/aws4_request"


def from_header(authorization: str, headers: dict[str, str]) -> Signature:
    claims, found, signature = authorization.rpartition("Signature=")
    if not found or "," in signature:  # in another order than clients write it
        parts = _parts(authorization)
        signature = parts.pop("Signature", "")
        claims = ALGORITHM + ",".join(f" {name}={value}" for name, value in parts.items())
    if not signature:
        raise _lacks("Signature", authorization)
    credential, signed_headers = _claims(claims)
    date = headers.get("x-amz-date") or headers.get("date", "")
    if not date:
        raise IncompleteSignature(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    return Signature(*credential, signed_headers, signature, date, headers.get("x-amz-security-token"))


@lru_cache(maxsize=1024)
def _claims(text: str) -> tuple[tuple[str, str, str, str], str]:
    """The credential and the signed headers, which a client's requests have in common all day."""
    parts = _parts(text)
    for name in ("Credential", "SignedHeaders"):
        if not parts.get(name):
            raise _lacks(name, text)
    return _credential(parts["Credential"]), parts["SignedHeaders"]


def _parts(authorization: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in authorization[len(ALGORITHM) :].split(","))
    return {name: value for name, _, value in pairs}


def _lacks(name: str, authorization: str) -> IncompleteSignature:
    return IncompleteSignature(
        f"Authorization header requires '{name}' parameter. Authorization={authorization[:64]}"
    )


def from_query(request: HttpRequest) -> Signature:
    found: dict[str, str] = {}
    for name in ("X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date"):
        value = request.param(name)
        if not value:
            raise IncompleteSignature(f"AWS query-string parameters must include '{name}'.")
        found[name] = value
    expires = request.param("X-Amz-Expires")
    if expires is not None:
        if re.fullmatch(r"[0-9]{1,9}", expires) is None:
            raise IncompleteSignature("X-Amz-Expires should be a number")
        if int(expires) > _WEEK:
            raise IncompleteSignature(
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be "
                "less than 604800 seconds"
            )
    return Signature(
        *_credential(found["X-Amz-Credential"]),
        found["X-Amz-SignedHeaders"],
        found["X-Amz-Signature"],
        found["X-Amz-Date"],
        request.param("X-Amz-Security-Token"),
        int(expires) if expires is not None else None,
    )


def _credential(text: str) -> tuple[str, str, str, str]:
    parts = text.rsplit("/", 4)
    if len(parts) != 5 or parts[4] != "aws4_request" or not parts[0]:
        raise IncompleteSignature(
            f"Credential must have at least 5 slash-delimited elements, got: {text[:100]}"
        )
    if _REGION.fullmatch(parts[2]) is None:
        raise IncompleteSignature("Credential should be scoped to a valid region.")
    return parts[0], parts[1], parts[2], parts[3]


def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def canonical_request(request: HttpRequest, signature: Signature, payload_hash: str) -> str:
    headers = request.headers
    lines = [f"{name}:{_trimmed(headers.get(name, ''))}\n" for name in signature.signed_headers.split(";")]
    return (
        f"{request.method}\n{_canonical_path(request.path, signature.service)}\n{_canonical_query(request.query)}\n"
        f"{''.join(lines)}\n{signature.signed_headers}\n{payload_hash}"
    )


def calculate(key: bytes, request: HttpRequest, signature: Signature, payload_hash: str) -> str:
    """The signature that the request should carry, in hex."""
    digest = hashlib.sha256(
        canonical_request(request, signature, payload_hash).encode("latin-1", "replace")  # as the bytes came
    )
    text = f"{ALGORITHM}\n{signature.date}\n{signature.scope}\n{digest.hexdigest()}"
    return hmac.digest(key, text.encode(), "sha256").hex()


def is_right(expected: str, signature: Signature) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(expected.encode(), signature.signature.encode("utf-8", "replace"))


def skew(signature: Signature, now: float) -> str:
    """What is wrong with the time of a signature that was made to be used at once, in AWS's words; empty if nothing.

    now: the wall's time, for clients sign with their own clock.
    """
    signed_at = timestamp(signature.date)
    if signed_at is None:
        return "Date must be in ISO-8601 'basic format'."
    if abs(now - signed_at) <= _SKEW:
        return ""
    early = signed_at > now
    word, relation, sign = (
        ("not yet current", "is still later than", "+") if early else ("expired", "is now earlier than", "-")
    )
    edge = _stamp(now + _SKEW if early else now - _SKEW)
    return f"Signature {word}: {signature.date} {relation} {edge} ({_stamp(now)} {sign} 15 min.)"


def _stamp(moment: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))


@lru_cache(maxsize=1024)
def timestamp(date: str) -> float | None:
    """Seconds since the epoch of an X-Amz-Date or a Date header; None for what is neither."""
    for form in ("%Y%m%dT%H%M%SZ", "%a, %d %b %Y %H:%M:%S GMT"):
        try:
            return float(calendar.timegm(time.strptime(date, form)))
        except ValueError:
            pass
    return None


def _trimmed(value: str) -> str:
    return " ".join(value.split()) if " " in value else value.strip()


def _canonical_path(path: str, service: str) -> str:
    if path == "/" or not path:
        return "/"
    if service == "s3":
        # S3 signs the decoded key, encoded once.
        return quote(unquote_to_bytes(path), safe=f"/{_UNRESERVED}")
    return quote(_normalised(path), safe=f"/{_UNRESERVED}")


def _normalised(path: str) -> str:
    """The path without `.`, `..` and empty segments, as every service but S3 signs it."""
    if "//" not in path and "/." not in path:
        return path
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if kept:
                kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    tail = "/" if path.endswith("/") and kept else ""
    return "/" + "/".join(kept) + tail


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    pairs = []
    for part in query.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        if name == "X-Amz-Signature":
            continue
        pairs.append((_encoded(name), _encoded(value)))
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", "%20")), safe=_UNRESERVED)
