"""One request on its way through the gateway, and what the steps have found out about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..kernel.call import ANONYMOUS, Call, Principal
from ..kernel.http import HttpRequest

if TYPE_CHECKING:
    from ..protocol import Match, ServiceCodec
    from ..protocol.sigv4 import Signature


@dataclass(slots=True)
class Exchange:
    """request_id: given at the start. service: botocore's name. signature: what the request claims, unverified until
    `verify` has passed. attributes: what goes on into the call (the payload's hash, the signing key of chunks)."""

    http: HttpRequest
    request_id: str
    started: float
    service: str = ""
    signature: Signature | None = None
    presigned: bool = False
    principal: Principal = ANONYMOUS
    account: str = ""
    region: str = ""
    codec: ServiceCodec | None = None
    match: Match | None = None
    parameters: dict[str, Any] | None = None
    call: Call | None = None
    error_code: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
