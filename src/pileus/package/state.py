"""serverless-state.json: the service and what was packaged, as Serverless Framework v3 writes it for `deploy --package`.

Paths of archives are given from the folder of this file, so that it is the same wherever the package lies. v3's
`initialServerlessConfig`, a copy of the rest by reference, is left out.
"""

from pileus.compile import naming
from pileus.compile.template import CompiledTemplates
from pileus.package.build import Built
from pileus.package.plan import Kind, Target
from pileus.service.model import Function, Service
from pileus.service.tree import Json, copy, get

_OWN_FORM = ("service", "provider", "functions", "package", "layers")
_DEFAULT_MEMORY, _DEFAULT_TIMEOUT, _DEFAULT_RUNTIME = 1024, 6, "nodejs14.x"


def state(service: Service, templates: CompiledTemplates, built: Built) -> dict[str, Json]:
    """The content of serverless-state.json."""
    names = {file.target: file.file.name for file in built.files}
    return {"service": _service(service, templates, names), "package": _package(service, built, names)}


def _package(service: Service, built: Built, names: dict[Target, str]) -> dict[str, Json]:
    prefix = service.setting("deploymentPrefix")
    prefix = "serverless" if prefix is None else prefix
    package: dict[str, Json] = {}
    individually = get(service.config, "package", "individually")
    if individually is not None:
        package["individually"] = individually
    timestamp = built.artifacts.timestamp
    package["artifactDirectoryName"] = f"{prefix}/{service.name}/{service.stage}/{timestamp}"
    package["artifact"] = names.get(Target(Kind.SERVICE), "")
    return package


def _service(service: Service, templates: CompiledTemplates, names: dict[Target, str]) -> dict[str, Json]:
    provider = copy(service.provider)
    provider.setdefault("stage", service.stage)
    provider.setdefault("region", service.region)
    provider.setdefault("versionFunctions", True)
    provider.setdefault("vpc", {})
    provider["compiledCloudFormationTemplate"] = templates.update_stack
    if templates.create_stack is not None:
        provider["coreCloudFormationTemplate"] = templates.create_stack
    content: dict[str, Json] = {
        "service": service.name,
        "serviceObject": {"name": service.name},
        "provider": provider,
        "pluginsData": {},
        "functions": {
            key: _function(service, function, templates, names) for key, function in service.functions.items()
        },
    }
    content.update({name: copy(value) for name, value in service.config.items() if name not in _OWN_FORM})
    content["serviceFilename"] = service.file.name
    content["layers"] = {
        key: _with_artifact(copy(layer or {}), names.get(Target(Kind.LAYER, key)))
        for key, layer in (service.config.get("layers") or {}).items()
    }
    if archive := names.get(Target(Kind.SERVICE)):
        content["artifact"] = archive
    return content


def _with_artifact(part: dict[str, Json], archive: str | None) -> dict[str, Json]:
    part["package"] = dict(part.get("package") or {})
    if archive is not None:
        part["package"]["artifact"] = archive
    return part


def _function(
    service: Service, function: Function, templates: CompiledTemplates, names: dict[Target, str]
) -> dict[str, Json]:
    content = _with_artifact(copy(function.config), names.get(Target(Kind.FUNCTION, function.key)))
    setting = service.setting
    content["memory"] = function.get("memorySize") or setting("memorySize") or _DEFAULT_MEMORY
    content["timeout"] = function.get("timeout") or setting("timeout") or _DEFAULT_TIMEOUT
    if not function.get("image"):
        content["runtime"] = function.get("runtime") or setting("runtime") or _DEFAULT_RUNTIME
    content.setdefault("vpc", {})
    version = get(
        templates.update_stack, "Outputs", naming.qualified_arn_output(function.key), "Value", "Ref"
    )
    if version is not None:
        content["versionLogicalId"] = version
    return content
