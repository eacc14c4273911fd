"""A service's folder, deployed into an embedded cloud with its code mounted."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import orjson

from ..cloud.kernel import AwsError
from ..compile import Artifacts
from ..service import ConfigErrors, LoadedService, Service
from .handlers import missing_handlers
from .info import stack_name
from .listeners import listeners_of, stand_in_listeners
from .mounts import is_mounted, mount, packages
from .project import Project
from .refusals import (
    failed_resources,
    made_functions,
    refused_template,
    undeliverable_events,
    unrunnable_functions,
)
from .remote_values import EmbeddedValues
from .stack import DeploymentFailed, EmbeddedStacks, StackPlan
from .stage_settings import apply_stage_settings

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud

_DEPLOYED_AT = re.compile(r"/(\d{13})-\d{4}-\d\d-\d\dT[\d:.]+Z/[^/]*$")
_OF_INSTANCE = re.compile(r"(\d{13})$")


@dataclass(frozen=True, slots=True)
class Deployed:
    """What runs. api: (api id, stage) of its REST API, None without one; http_api, websocket: of the other two kinds.
    template: what was created. changed: whether the stack had to be touched. listeners: of load balancers (ARNs)."""

    service: Service
    loaded: LoadedService
    stack: str
    template: Mapping[str, Any]
    outputs: Mapping[str, str]
    resources: Mapping[str, tuple[str, str]]
    api: tuple[str, str] | None
    http_api: tuple[str, str] | None = None
    websocket: tuple[str, str] | None = None
    changed: bool = True
    listeners: tuple[str, ...] = ()


class LocalDeployment:
    """Deploys `directory` into a cloud; again after each change of its files.

    cloud: gives the cloud, which is first asked for when it is needed: a mistake in a file is found without one.
    options, params: as on the command line. environ: what ${env:} sees. All methods raise ConfigErrors for what is
    wrong with the service, `execute` DeploymentFailed as well.
    """

    def __init__(
        self,
        cloud: Callable[[], Cloud],
        directory: Path,
        *,
        options: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        config_name: str | None = None,
    ) -> None:
        self._open = cloud
        environ = os.environ if environ is None else environ
        self._project = Project(
            directory,
            options=options,
            params=params,
            environ=environ,
            config_name=config_name,
            resolver=EmbeddedValues(cloud),
        )

    def load(self) -> LoadedService:
        """Reads and checks the service."""
        loaded = self._project.load(purpose="offline")
        service = loaded.service
        mistakes = [
            *unrunnable_functions(service),
            *undeliverable_events(service),
            *missing_handlers(service),
        ]
        if mistakes:
            raise ConfigErrors(mistakes)
        return loaded

    def start_interpreters(self, service: Service) -> None:
        """Has the functions' interpreter import what they will need, beside the deployment."""
        handlers = [str(function.get("handler")) for function in service.functions.values()]
        if handlers:
            runtime = str(service.setting("runtime") or "python3.11")
            cast("Any", self._open().service("lambda")).prestart(service.directory, handlers, runtime)

    def compile(self, service: Service) -> dict[str, Any]:
        """The template of the service, its functions' packages standing for the mounted folder.

        Of a service that is as it was deployed, it is the very template of then: what a template carries of the moment
        at which it was made would otherwise replace the API's deployment at each start.
        """
        former = self._former(service)
        moment = _moment(former) if former else None
        if moment is not None:
            template = self._compiled(
                replace(service, instance=_instance(former or {}) or str(moment)), moment
            )
            if template == former:
                mount(self._open(), service, template)
                return template
        template = self._compiled(service, int(service.instance))
        if former:
            _keeppackages(template, former)
        mistakes = made_functions(service, template)
        if mistakes:
            raise ConfigErrors(mistakes)
        mount(self._open(), service, template)
        return template

    def plan(self, service: Service, template: Mapping[str, Any]) -> StackPlan:
        tags = {"STAGE": service.stage, **(service.setting("stackTags") or {})}
        parameters = service.setting("stackParameters") or ()
        return EmbeddedStacks(self._open(), service.region).plan(
            stack_name(service), template, tags, parameters
        )

    async def execute(self, loaded: LoadedService, plan: StackPlan) -> Deployed:
        """Creates or updates the stack."""
        cloud, service = self._open(), loaded.service
        stacks = EmbeddedStacks(cloud, plan.region)
        stand_in_listeners(cloud, plan.region, plan.template)
        try:
            changed = await stacks.execute(plan)
        except DeploymentFailed as failed:
            mistakes = failed_resources(service, plan.template, failed.reasons)
            raise DeploymentFailed(failed.stack, failed.status, failed.reasons, mistakes) from None
        except AwsError as error:
            raise ConfigErrors(refused_template(service, cloud, plan.template, error)) from None
        resources = stacks.physical_ids(plan.stack)
        api = _rest_api(plan.template, resources)
        if api is not None:
            apply_stage_settings(cloud, service, api)
        http_api = _api_of("HTTP", plan.template, resources)
        if http_api is not None:
            _trust_tokens(cloud, service, http_api[0])
        return Deployed(
            service,
            loaded,
            plan.stack,
            plan.template,
            stacks.outputs(plan.stack),
            resources,
            api,
            http_api,
            _api_of("WEBSOCKET", plan.template, resources),
            changed,
            tuple(listeners_of(plan.template, resources)),
        )

    async def deploy(self) -> Deployed:
        loaded = self.load()
        self.start_interpreters(loaded.service)
        return await self.execute(loaded, self.plan(loaded.service, self.compile(loaded.service)))

    def _compiled(self, service: Service, moment: int) -> dict[str, Any]:
        """The template as CloudFormation will keep it. moment: milliseconds since the epoch."""
        template = self._project.compile(service, Artifacts.synthetic(service, moment)).update_stack
        return cast("dict[str, Any]", orjson.loads(orjson.dumps(template)))

    def _former(self, service: Service) -> dict[str, Any] | None:
        """The template that was deployed from this folder, if its stack stands."""
        cloud = self._open()
        former = EmbeddedStacks(cloud, service.region).template(stack_name(service))
        return former if former and is_mounted(cloud, service) else None


def _moment(template: Mapping[str, Any]) -> int | None:
    """When a template was made, as the names of its packages tell."""
    for code in packages(template).values():
        found = _DEPLOYED_AT.search(str(code["S3Key"]))
        if found is not None:
            return int(found[1])
    return None


def _keeppackages(template: Mapping[str, Any], former: Mapping[str, Any]) -> None:
    """The code is the folder, now as before: a function is not to be updated for a new name of its package."""
    kept = packages(former)
    for logical_id, code in packages(template).items():
        old = kept.get(logical_id)
        if old is not None and str(old["S3Key"]).rpartition("/")[2] == str(code["S3Key"]).rpartition("/")[2]:
            code["S3Key"] = old["S3Key"]


def _instance(template: Mapping[str, Any]) -> str | None:
    """The load that a template's API deployment is named after."""
    for logical_id, resource in template["Resources"].items():
        if resource.get("Type") == "AWS::ApiGateway::Deployment" and (
            found := _OF_INSTANCE.search(logical_id)
        ):
            return found[1]
    return None


def _rest_api(
    template: Mapping[str, Any], resources: Mapping[str, tuple[str, str]]
) -> tuple[str, str] | None:
    for resource in template["Resources"].values():
        if resource.get("Type") == "AWS::ApiGateway::Deployment":
            properties = resource["Properties"]
            api = properties["RestApiId"]
            api_id = resources[api["Ref"]][1] if isinstance(api, dict) and "Ref" in api else str(api)
            return api_id, str(properties.get("StageName", ""))
    return None


def _trust_tokens(cloud: Cloud, service: Service, api_id: str) -> None:
    """serverless-offline's ignoreJWTSignature, for tokens that a test has signed itself."""
    options = service.extensions.offline_options() if service.extensions is not None else {}
    cast("Any", cloud.service("apigatewayv2")).trust_tokens(api_id, options.get("trust_tokens") is True)


def _api_of(
    protocol: str, template: Mapping[str, Any], resources: Mapping[str, tuple[str, str]]
) -> tuple[str, str] | None:
    """The HTTP or the WebSocket API of the stack, with its stage."""
    made = template["Resources"]
    for logical_id, resource in made.items():
        properties = resource.get("Properties") or {}
        if resource.get("Type") != "AWS::ApiGatewayV2::Api" or properties.get("ProtocolType") != protocol:
            continue
        stages = [
            str(each["Properties"].get("StageName", ""))
            for each in made.values()
            if each.get("Type") == "AWS::ApiGatewayV2::Stage"
            and each["Properties"].get("ApiId") == {"Ref": logical_id}
        ]
        return (resources[logical_id][1], stages[0]) if stages and logical_id in resources else None
    return None
