"""A service's folder, deployed into an embedded cloud with its code mounted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compile import Artifacts, compile_service
from ..service import ConfigErrors, LoadedService, Service, load_service
from .handlers import missing_handlers
from .remote_values import EmbeddedValues
from .stack import EmbeddedStacks, StackPlan

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud

_DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Deployed:
    """What runs. api: (api id, stage) of its REST API, None without one. template: what was created."""

    service: Service
    loaded: LoadedService
    stack: str
    template: Mapping[str, Any]
    outputs: Mapping[str, str]
    resources: Mapping[str, tuple[str, str]]
    api: tuple[str, str] | None


class LocalDeployment:
    """Deploys `directory` into `cloud`; again after each change of its files.

    options, params: as on the command line. environ: what ${env:} sees.
    """

    def __init__(
        self,
        cloud: Cloud,
        directory: Path,
        *,
        options: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        config_name: str | None = None,
    ) -> None:
        self._cloud = cloud
        self._directory = directory
        self._options = options
        self._params = params or {}
        self._environ = os.environ if environ is None else environ
        self._config_name = config_name

    def load(self) -> LoadedService:
        """Reads and checks the service. Raises ConfigErrors."""
        region = self._options.get("region") or self._environ.get("AWS_REGION") or _DEFAULT_REGION
        loaded = load_service(
            self._directory,
            options=self._options,
            params=self._params,
            environ=self._environ,
            config_name=self._config_name,
            resolver=EmbeddedValues(self._cloud, region),
        )
        mistakes = missing_handlers(loaded.service)
        if mistakes:
            raise ConfigErrors(mistakes)
        return loaded

    def compile(self, service: Service) -> dict[str, Any]:
        """The template of the service, its functions' packages standing for the mounted folder."""
        artifacts = Artifacts.synthetic(service, int(self._cloud.clock.now() * 1000))
        template = compile_service(service, artifacts).update_stack
        self._mount(service, template)
        return template

    def plan(self, service: Service, template: Mapping[str, Any]) -> StackPlan:
        stack = str(service.setting("stackName") or f"{service.name}-{service.stage}")
        tags = {"STAGE": service.stage, **(service.setting("stackTags") or {})}
        return EmbeddedStacks(self._cloud, service.region).plan(stack, template, tags)

    async def execute(self, loaded: LoadedService, plan: StackPlan) -> Deployed:
        """Creates or updates the stack. Raises DeploymentFailed, or the AwsError that refused the template."""
        stacks = EmbeddedStacks(self._cloud, plan.region)
        await stacks.execute(plan)
        resources = stacks.physical_ids(plan.stack)
        return Deployed(
            loaded.service,
            loaded,
            plan.stack,
            plan.template,
            stacks.outputs(plan.stack),
            resources,
            _rest_api(plan.template, resources),
        )

    async def deploy(self) -> Deployed:
        loaded = self.load()
        return await self.execute(loaded, self.plan(loaded.service, self.compile(loaded.service)))

    def _mount(self, service: Service, template: Mapping[str, Any]) -> None:
        """Every package that the template names stands for the service's folder."""
        for resource in template["Resources"].values():
            key = (resource.get("Properties") or {}).get("Code", {})
            if resource["Type"] == "AWS::Lambda::Function" and isinstance(key, dict) and "S3Key" in key:
                self._cloud.mounts[key["S3Key"]] = str(service.directory)


def _rest_api(
    template: Mapping[str, Any], resources: Mapping[str, tuple[str, str]]
) -> tuple[str, str] | None:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::ApiGateway::Deployment":
            properties = resource["Properties"]
            api = properties["RestApiId"]
            api_id = resources[api["Ref"]][1] if isinstance(api, dict) and "Ref" in api else str(api)
            return api_id, str(properties.get("StageName", ""))
    return None
