"""Request bodies that come compressed."""

from __future__ import annotations

import zlib

from pileus.cloud.kernel.http import HttpRequest
from pileus.cloud.protocol.errors import SerializationException

LARGEST = 64 * 1024 * 1024  # bytes unpacked; a bomb ends here


def plain_body(request: HttpRequest, refusal: type[SerializationException]) -> bytes:
    """The body without its `content-encoding`: only gzip is undone, others belong to the content."""
    if request.headers.get("content-encoding") != "gzip":
        return request.body
    unpack = zlib.decompressobj(wbits=31)
    try:
        body = unpack.decompress(request.body, LARGEST)
    except zlib.error:
        raise refusal("Unable to decompress request body") from None
    if unpack.unconsumed_tail or not unpack.eof:
        raise refusal("Unable to decompress request body")
    return body
