"""One run of a function on this machine: in an execution environment of our own, its calls going to a cloud.

The cloud is the embedded one that AWS_ENDPOINT_URL names or that `pileus offline` runs here; what the function has there
(resolved variables, role, name) is what it gets. Without one, the whole service is deployed in memory for this one run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import orjson

from ..cloud.runtime.variables import SessionKeys
from ..cloud.server import CloudServer
from ..compile.function import DEFAULT_RUNTIME
from ..service import ConfigErrors, Function, LoadedService, Service
from .handlers import missing_handlers
from .invoke import Answer, Place, client, client_context
from .local import LocalDeployment
from .refusals import unrunnable_functions

if TYPE_CHECKING:
    from ..cloud.kernel import Cloud, Settings

#: What Serverless Framework sets where a function runs on the developer's machine.
_MARK = {"IS_LOCAL": "true"}
#: Of a function where it is deployed, what it is here, too.
_KEPT = ("Runtime", "Handler", "Timeout", "MemorySize")
#: Without it no function can be created; the credentials are those of the role in the other cloud.
_ROLE = {
    "RoleName": "invoke-local",
    "AssumeRolePolicyDocument": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
    '"Principal":{"Service":"lambda.amazonaws.com"}}]}',
}

OnLines = Callable[[list[tuple[int, str]]], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be run. variables: over the function's own. context: what it sees as its client context."""

    function: str
    event: Any
    variables: Mapping[str, str]
    context: Any = None


async def in_own_cloud(
    deployment: Callable[[Callable[[], Cloud]], LocalDeployment],
    check: Callable[[LoadedService], None],
    settings: Settings,
    run: Run,
    on_lines: OnLines,
) -> Answer:
    """Deploys the service into a cloud in memory and runs the function. check: called with what was read, before
    anything is made of it. Raises ConfigErrors, DeploymentFailed."""
    async with CloudServer(settings, 0) as server:
        cloud = server.cloud
        local = deployment(lambda: cloud)
        loaded = local.load()
        check(loaded)
        local.start_interpreters(loaded.service)
        deployed = await local.execute(loaded, local.plan(loaded.service, local.compile(loaded.service)))
        function = deployed.service.functions[run.function]
        region = deployed.service.region
        request = {"FunctionName": function.name}
        found = cloud.call("lambda", "GetFunctionConfiguration", request, region=region)
        variables = {**found.get("Environment", {}).get("Variables", {}), **_MARK, **run.variables}
        request["Environment"] = {"Variables": variables}  # type: ignore[assignment]
        await cloud.call_async("lambda", "UpdateFunctionConfiguration", request, region=region)
        return await _invoke(cloud, function.name, region, run, on_lines)


async def against(service: Service, where: Place, settings: Settings, run: Run, on_lines: OnLines) -> Answer:
    """Runs the function with its calls going to the cloud at `where`. Raises ConfigErrors, botocore's errors."""
    function = service.functions[run.function]
    mistakes = [
        each
        for each in (*unrunnable_functions(service), *missing_handlers(service))
        if each.path[:2] in ((), function.path[:2])
    ]
    if mistakes:
        raise ConfigErrors(mistakes)
    configuration, keys = _deployed(service, function, where)
    async with CloudServer(settings, 0) as server:
        cloud = server.cloud
        functions = cast("Any", cloud.service("lambda"))
        hooks = functions.runtime.hooks
        hooks.endpoint = lambda: where.endpoint
        hooks.credentials = lambda spec: keys
        cloud.mounts[function.key] = str(service.directory)
        variables = configuration.pop("Variables")
        role = cloud.call("iam", "CreateRole", _ROLE, region=service.region)["Role"]
        request = {
            "FunctionName": function.name,
            "Role": role["Arn"],
            "Code": {"S3Bucket": "mounted", "S3Key": function.key},
            "Environment": {"Variables": {**variables, **_MARK, **run.variables}},
            **configuration,
        }
        await cloud.call_async("lambda", "CreateFunction", request, region=service.region)
        return await _invoke(cloud, function.name, service.region, run, on_lines)


async def _invoke(cloud: Cloud, name: str, region: str, run: Run, on_lines: OnLines) -> Answer:
    functions = cast("Any", cloud.service("lambda"))
    functions.log_observers.append(lambda spec, stream, lines: on_lines(lines) if spec.name == name else None)
    request: dict[str, Any] = {
        "FunctionName": name,
        "Payload": orjson.dumps(run.event),
        "LogType": "Tail",  # so that the whole log is there before the answer
    }
    if run.context is not None:
        request["ClientContext"] = client_context(run.context)
    answer = await cloud.call_async("lambda", "Invoke", request, region=region)
    return Answer(answer["StatusCode"], bytes(answer["Payload"]), "FunctionError" in answer)


def _deployed(service: Service, function: Function, where: Place) -> tuple[dict[str, Any], SessionKeys]:
    """What the function has in that cloud, and credentials of its role; what serverless.yml says and the caller's own
    credentials, where it is not deployed there."""
    from botocore.exceptions import ClientError

    region = service.region
    mine = client("lambda", where, region)
    credentials = mine._request_signer._credentials.get_frozen_credentials()
    keys = SessionKeys(credentials.access_key, credentials.secret_key, credentials.token or "")
    try:
        found = mine.get_function_configuration(FunctionName=function.name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return _written(service, function), keys
    configuration = {name: found[name] for name in _KEPT if name in found}
    configuration["Variables"] = found.get("Environment", {}).get("Variables", {})
    try:
        request = {"RoleArn": found["Role"], "RoleSessionName": function.name[:64]}
        session = client("sts", where, region).assume_role(**request)["Credentials"]
    except ClientError:
        return configuration, keys  # as in AWS, where only Lambda may assume it
    return configuration, SessionKeys(
        session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
    )


def _written(service: Service, function: Function) -> dict[str, Any]:
    variables = {**(service.setting("environment") or {}), **(function.get("environment") or {})}
    return {
        "Runtime": str(function.get("runtime") or service.setting("runtime") or DEFAULT_RUNTIME),
        "Handler": str(function.get("handler")),
        "Timeout": int(function.get("timeout") or service.setting("timeout") or 6),
        "MemorySize": int(function.get("memorySize") or service.setting("memorySize") or 1024),
        "Variables": {
            name: str(value) for name, value in variables.items() if isinstance(value, (str, int, float))
        },
    }
