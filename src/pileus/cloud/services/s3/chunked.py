"""`aws-chunked` bodies: data in chunks, each perhaps signed, and trailing headers, perhaps signed too.

Source: S3 API reference, "Signature calculations for the Authorization header: transferring payload in multiple chunks"
and "… including trailing headers".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import IncompleteBody, InvalidRequest, SignatureDoesNotMatch

_EMPTY = hashlib.sha256(b"").hexdigest()
_MAX_LINE = 16_384


@dataclass(slots=True)
class ChunkSigner:
    """The chain of signatures of one request; `previous` is the one before."""

    key: bytes
    date: str
    scope: str
    previous: str

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> ChunkSigner | None:
        """From what the gateway left of a verified request; None where chunks are not signed."""
        key = attributes.get("signing_key")
        if key is None or not str(attributes.get("payload_sha256", "")).startswith("STREAMING-AWS4-HMAC"):
            return None
        signature = attributes["signature"]
        return cls(key, signature.date, signature.scope, signature.signature)

    def check(self, kind: str, digest: str, claimed: str) -> None:
        """kind: `PAYLOAD` or `TRAILER`. digest: hexadecimal SHA-256 of the data."""
        hashes = f"{_EMPTY}\n{digest}" if kind == "PAYLOAD" else digest
        text = f"AWS4-HMAC-SHA256-{kind}\n{self.date}\n{self.scope}\n{self.previous}\n{hashes}"
        expected = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, claimed):
            raise SignatureDoesNotMatch
        self.previous = expected


class ChunkDecoder:
    """Feed it what arrives; it gives the data in between. `trailers` holds the trailing headers after `finish`."""

    def __init__(self, signer: ChunkSigner | None) -> None:
        self.trailers: dict[str, str] = {}
        self._signer = signer
        self._buffer = bytearray()
        self._left = 0  # data bytes to come in this chunk
        self._state = "head"
        self._claimed = ""
        self._digest = hashlib.sha256()
        self._trailer_text = ""

    def feed(self, data: bytes) -> bytes:
        self._buffer += data
        out = bytearray()
        while True:
            if self._state == "data":
                if not self._take_data(out):
                    break
            else:
                line = self._line()
                if line is None:
                    break
                self._take_line(line)
        return bytes(out)

    def finish(self) -> None:
        """Called when the request's body has ended."""
        if self._state not in ("trailers", "end") or self._left:
            raise IncompleteBody("The request body terminated unexpectedly")
        if self._signer is not None and self._trailer_text:
            raise SignatureDoesNotMatch  # trailers that no signature followed

    def _line(self) -> str | None:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_LINE:
                raise InvalidRequest("The chunked body is malformed.")
            return None
        line = self._buffer[:end].decode("latin-1")
        del self._buffer[: end + 2]
        return line

    def _take_line(self, line: str) -> None:
        if self._state == "head":
            self._take_head(line)
        elif self._state == "close":  # the end of a chunk's data
            if line:
                raise InvalidRequest("The chunked body is malformed.")
            self._end_chunk()
            self._state = "head"
        elif self._state == "trailers":
            self._take_trailer(line)

    def _take_head(self, line: str) -> None:
        size, _, extension = line.partition(";")
        try:
            self._left = int(size, 16)
        except ValueError:
            raise InvalidRequest("The chunked body is malformed.") from None
        name, _, value = extension.partition("=")
        self._claimed = value if name == "chunk-signature" else ""
        if self._left:
            self._state = "data"
        else:
            self._end_chunk()
            self._state = "trailers"

    def _take_data(self, out: bytearray) -> bool:
        if not self._buffer:
            return False
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        out += piece
        if self._signer is not None:
            self._digest.update(piece)
        if not self._left:
            self._state = "close"
        return True

    def _end_chunk(self) -> None:
        if self._signer is not None:
            self._signer.check("PAYLOAD", self._digest.hexdigest(), self._claimed)
            self._digest = hashlib.sha256()

    def _take_trailer(self, line: str) -> None:
        if not line:
            if self._signer is None or not self._trailer_text:
                self._state = "end"
            return
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if name == "x-amz-trailer-signature":
            if self._signer is not None:
                digest = hashlib.sha256(self._trailer_text.encode("latin-1")).hexdigest()
                self._signer.check("TRAILER", digest, value)
            self._trailer_text = ""
            return
        self.trailers[name] = value
        self._trailer_text += f"{name}:{value}\n"
