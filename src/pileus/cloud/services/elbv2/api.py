"""The service: its operations, grouped by what they are about, and the data plane."""

from __future__ import annotations

from pileus.cloud.kernel import Cloud

from .balancers import Balancers
from .groups import Groups
from .items import Items, Kind
from .plane import Plane
from .rules import Rules
from .schema import MIGRATIONS


class ElasticLoadBalancing(Balancers, Groups, Rules):
    """Application load balancers; `plane` serves requests to their listeners."""

    name = "elbv2"
    migrations = MIGRATIONS

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.items = Items(cloud.store)
        self.plane = Plane(cloud, self.items)

    def start(self) -> None:
        places = self.store.all("SELECT DISTINCT account,region FROM elbv2_item WHERE kind=?", (Kind.GROUP,))
        for account, region in places:
            call = self.cloud.make_call(self.name, "DescribeTargetGroups", account=account, region=region)
            self.plane.health.start(self.items.page(call, Kind.GROUP, {})[0])
        self.plane.health.start([])

    async def stop(self) -> None:
        await self.plane.health.stop()
