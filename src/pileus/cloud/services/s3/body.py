"""Uploads: a request's body on its way to the store.

What fits in 64 KiB is gathered and kept in a row. More goes through a thread to a file, piece by piece, hashed on the
way, so that neither the loop nor the memory feels its size. The file becomes an object's only in the transaction that
writes the row; one that does not get there is deleted, or collected at the next start.
"""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...kernel import Call, HttpRequest
from . import checksums
from .base import BLOB_SUFFIX, S3Base
from .chunked import ChunkDecoder, ChunkSigner
from .errors import (
    BadDigest,
    EntityTooLarge,
    IncompleteBody,
    InvalidDigest,
    InvalidRequest,
    MissingContentLength,
    XAmzContentSHA256Mismatch,
)

INLINE = 65_536
MAX_SINGLE = 5 * 1024**3
_PIECE = 1_048_576


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that have arrived and hold: in `data`, or in the incoming file `blob`. checksum: (algorithm, base64)."""

    size: int
    md5: str
    checksum: tuple[str, str]
    data: bytes | None = None
    blob: str | None = None


@dataclass(slots=True)
class Claims:
    """What a request says about its body, to be held against what arrives."""

    algorithm: str
    value: str | None
    md5: bytes | None
    sha256: str | None
    length: int | None
    decoder: ChunkDecoder | None

    @classmethod
    def read(cls, call: Call, request: Mapping[str, Any], default: str) -> Claims:
        headers = call.http.headers if call.http is not None else {}
        stated = checksums.stated(request)
        chunked = "aws-chunked" in headers.get("content-encoding", "") or headers.get(
            "x-amz-content-sha256", ""
        ).startswith("STREAMING-")
        if not chunked and "transfer-encoding" in headers and "content-length" not in headers:
            raise MissingContentLength
        algorithm = default
        if stated is not None:
            algorithm = stated[0]
        elif trailer := headers.get("x-amz-trailer"):
            algorithm = checksums.check_algorithm(trailer.strip().lower().removeprefix("x-amz-checksum-"))
        elif request.get("ChecksumAlgorithm"):
            algorithm = checksums.check_algorithm(request["ChecksumAlgorithm"])
        length = headers.get("x-amz-decoded-content-length" if chunked else "content-length")
        sha256 = None if chunked else headers.get("x-amz-content-sha256")
        return cls(
            algorithm,
            stated[1] if stated else None,
            content_md5(request),
            sha256 if sha256 is not None and len(sha256) == 64 else None,
            int(length) if length is not None and length.isdigit() else None,
            ChunkDecoder(ChunkSigner.of(call.attributes)) if chunked else None,
        )

    def finish(self) -> None:
        """After the last byte: trailing headers are claims too."""
        if self.decoder is None:
            return
        self.decoder.finish()
        value = self.decoder.trailers.get(f"x-amz-checksum-{self.algorithm.lower()}")
        if value is not None and self.value is None:
            checksums.check_value(self.algorithm, value)
            self.value = value

    def check(self, size: int, md5: bytes, sha256: str | None, checksum: str) -> None:
        if self.length is not None and size != self.length:
            raise IncompleteBody
        if size > MAX_SINGLE:
            raise EntityTooLarge(ProposedSize=size, MaxSizeAllowed=MAX_SINGLE)
        if self.md5 is not None and self.md5 != md5:
            raise BadDigest
        if self.sha256 is not None and self.sha256 != sha256:
            raise XAmzContentSHA256Mismatch(
                ClientComputedContentSHA256=self.sha256, S3ComputedContentSHA256=sha256
            )
        if self.value is not None and self.value != checksum:
            raise BadDigest(f"The {self.algorithm} you specified did not match the calculated checksum.")


def content_md5(request: Mapping[str, Any]) -> bytes | None:
    stated = request.get("ContentMD5")
    if stated is None:
        return None
    try:
        digest = b64decode(stated, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != 16:
        raise InvalidDigest
    return digest


def check_document(http: HttpRequest | None, request: Mapping[str, Any], *, required: bool = False) -> None:
    """Holds the XML body of a configuration, or of DeleteObjects, against the digests in its headers."""
    if http is None:
        return
    md5 = content_md5({"ContentMD5": http.headers["content-md5"]}) if "content-md5" in http.headers else None
    if md5 is not None and md5 != hashlib.md5(http.body, usedforsecurity=False).digest():
        raise BadDigest
    sha256 = http.headers.get("x-amz-content-sha256", "")
    if len(sha256) == 64 and sha256 != hashlib.sha256(http.body).hexdigest():
        raise XAmzContentSHA256Mismatch(ClientComputedContentSHA256=sha256)
    found = False
    for algorithm in checksums.SIZES:
        value = http.headers.get(f"x-amz-checksum-{algorithm.lower()}")
        if value is not None:
            found = True
            checksums.check_value(algorithm, value)
            if checksums.checksum(algorithm, http.body) != value:
                raise BadDigest(f"The {algorithm} you specified did not match the calculated checksum.")
    if required and md5 is None and not found:
        raise InvalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")


class BodyTaker(S3Base):
    async def take_body(
        self,
        call: Call,
        request: Mapping[str, Any],
        default: str = checksums.DEFAULT,
        *,
        to_file: bool = False,
    ) -> Content:
        """Reads the request's `Body` to its end and checks all that was claimed about it.

        default: the checksum to compute where the request names none. to_file: parts of uploads always are files.
        """
        claims = Claims.read(call, request, default)
        body = request.get("Body", b"")
        if isinstance(body, (bytes, bytearray, memoryview, str)):
            whole = body.encode() if isinstance(body, str) else bytes(body)
            data = whole if claims.decoder is None else claims.decoder.feed(whole)
            rest = None
        else:
            rest = body
            data = await _gather(rest, claims)
            if len(data) <= INLINE:
                rest = None
        if rest is None and len(data) <= INLINE and not to_file:
            return _small(data, claims)
        return await self._large(data, rest, claims)

    async def _large(self, begun: bytes, rest: AsyncIterator[bytes] | None, claims: Claims) -> Content:
        blob = self.ids.hex(32) + BLOB_SUFFIX
        writer = _Writer(self.store.blobs.incoming(blob), claims)
        try:
            pending = bytearray(begun)
            if rest is not None:
                async for chunk in rest:
                    pending += chunk if claims.decoder is None else claims.decoder.feed(chunk)
                    if len(pending) >= _PIECE:
                        piece, pending = bytes(pending), bytearray()
                        await asyncio.to_thread(writer.write, piece)
            await asyncio.to_thread(writer.write, bytes(pending))
            claims.finish()
            return writer.content(blob)
        except BaseException:
            writer.abandon()
            raise
        finally:
            writer.close()

    def keep(self, content: Content) -> None:
        """Puts an incoming file in its place; called in the transaction that names it."""
        if content.blob is not None:
            blob = content.blob
            self.store.blobs.keep(blob)
            self.store.on_rollback(lambda: self.store.blobs.delete(blob))

    def discard(self, content: Content) -> None:
        """Removes the incoming file of a body that was refused after it had arrived."""
        if content.blob is not None:
            self.store.blobs.incoming(content.blob).unlink(missing_ok=True)


async def _gather(stream: AsyncIterator[bytes], claims: Claims) -> bytes:
    """The body's beginning: all of it where it is small, a little more than what fits in a row where it is not."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in stream:
        data = chunk if claims.decoder is None else claims.decoder.feed(chunk)
        chunks.append(data)
        size += len(data)
        if size > INLINE:
            break
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _small(data: bytes, claims: Claims) -> Content:
    claims.finish()
    md5 = hashlib.md5(data, usedforsecurity=False)
    value = checksums.checksum(claims.algorithm, data)
    sha256 = hashlib.sha256(data).hexdigest() if claims.sha256 is not None else None
    claims.check(len(data), md5.digest(), sha256, value)
    return Content(len(data), md5.hexdigest(), (claims.algorithm, value), data=data)


class _Writer:
    """Writes and hashes, in a worker thread."""

    def __init__(self, path: Path, claims: Claims) -> None:
        self._path = path
        self._claims = claims
        self._file = path.open("wb", buffering=0)
        self._size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256() if claims.sha256 is not None else None
        self._checksum = checksums.hasher(claims.algorithm)

    def write(self, data: bytes) -> None:
        if not data:
            return
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._size += len(data)
        self._md5.update(data)
        self._checksum.update(data)
        if self._sha256 is not None:
            self._sha256.update(data)

    def content(self, blob: str) -> Content:
        value = checksums.encode(self._checksum)
        sha256 = self._sha256.hexdigest() if self._sha256 is not None else None
        self._claims.check(self._size, self._md5.digest(), sha256, value)
        return Content(self._size, self._md5.hexdigest(), (self._claims.algorithm, value), blob=blob)

    def abandon(self) -> None:
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        self._file.close()
