"""One API call: who asks, where, when, and with which trace."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cloud import Cloud
    from .http import HttpRequest
    from .ids import Ids
    from .store import Store


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a call.

    kind: `root`, `user`, `role` (a session), `service` (another AWS service, `arn` then is its name such as
    `events.amazonaws.com`) or `anonymous`. arn: as `GetCallerIdentity` says it. user_id: the unique id that goes with it.
    """

    kind: str
    account: str
    arn: str
    user_id: str = ""
    access_key_id: str = ""
    source_arn: str = ""  # for a service: the resource on whose behalf it calls (aws:SourceArn)

    @classmethod
    def root(cls, account: str, access_key_id: str = "") -> Principal:
        return cls("root", account, f"arn:aws:iam::{account}:root", account, access_key_id)

    @classmethod
    def service(cls, name: str, account: str, source_arn: str = "") -> Principal:
        return cls("service", account, name, name, source_arn=source_arn)


ANONYMOUS = Principal("anonymous", "", "anonymous")


@dataclass(slots=True)
class Call:
    """What an operation gets beside its request.

    now: the clock at the start of the call, seconds since the epoch. trace: the X-Amzn-Trace-Id header as it came.
    http: the raw request where the call came over the wire; None for calls inside the cloud.
    """

    cloud: Cloud
    service: str
    operation: str
    account: str
    region: str
    principal: Principal
    request_id: str
    now: float
    trace: str | None = None
    http: HttpRequest | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.cloud.store

    @property
    def ids(self) -> Ids:
        return self.cloud.ids

    @property
    def base_url(self) -> str:
        """What URLs in answers begin with: as the client addressed us, else the cloud's own endpoint."""
        return (
            self.http.base_url if self.http is not None and self.http.host else self.cloud.settings.endpoint
        )

    def arn(self, resource: str, *, service: str = "", region: str | None = None) -> str:
        """`arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE` in this call's place."""
        where = self.region if region is None else region
        return f"arn:aws:{service or self.service}:{where}:{self.account}:{resource}"

    def within(self, service: str, operation: str, principal: Principal | None = None) -> Call:
        """The call that this one makes on another operation, in the same place and trace."""
        return replace(
            self,
            service=service,
            operation=operation,
            principal=principal or self.principal,
            http=None,
            now=self.cloud.clock.now(),
            attributes={},
        )
