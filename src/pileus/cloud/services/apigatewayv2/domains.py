"""Custom domain names and VPC links: refused, because nothing here would answer for them."""

from __future__ import annotations

from pileus.cloud.kernel import Call, operation

from .base import Operations, Request, Result


class Domains(Operations):
    """Reading finds none, as it must where none can be made; every other operation answers NotEmulated by itself."""

    @operation("GetDomainNames", reads=True)
    def get_domain_names(self, call: Call, request: Request) -> Result:
        return {"Items": []}

    @operation("GetVpcLinks", reads=True)
    def get_vpc_links(self, call: Call, request: Request) -> Result:
        return {"Items": []}
