"""One function: code, settings with the provider's as defaults, role, and what the role must allow for them."""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation, role_of
from pileus.service.model import Function
from pileus.service.tree import Json, Path

_MANAGEMENT = {"auto": "Auto", "onFunctionUpdate": "FunctionUpdate", "manual": "Manual"}
DEFAULT_RUNTIME = "nodejs16.x"
DEFAULT_MEMORY = 1024
DEFAULT_TIMEOUT = 6


def compile_function(c: Compilation, function: Function) -> None:
    """Add the function's resource, and to the shared role what its settings need."""
    settings, provider = function.config, c.service.provider
    properties = _code(c, function)
    properties["FunctionName"] = function.name
    properties["MemorySize"] = settings.get("memorySize") or provider.get("memorySize") or DEFAULT_MEMORY
    properties["Timeout"] = settings.get("timeout") or provider.get("timeout") or DEFAULT_TIMEOUT
    if architecture := settings.get("architecture") or provider.get("architecture"):
        properties["Architectures"] = [architecture]
    if settings.get("description"):
        properties["Description"] = settings["description"]
    if settings.get("ephemeralStorageSize"):
        properties["EphemeralStorage"] = {"Size": settings["ephemeralStorageSize"]}
    if settings.get("snapStart"):
        properties["SnapStart"] = {"ApplyOn": "PublishedVersions"}
    tags = {**(provider.get("tags") or {}), **(settings.get("tags") or {})}
    if tags:
        properties["Tags"] = fn.key_values(tags)
    _on_error(c, function, properties)
    _key(c, function, properties)
    _tracing(c, function, properties)
    _environment(c, function, properties)
    resource: dict[str, Json] = {"Type": "AWS::Lambda::Function", "Properties": properties}
    depends_on: list[Json] = [] if settings.get("disableLogs") else [naming.log_group(function.key)]
    depends_on += _role(c, function, properties)
    _network(c, function, properties)
    _file_system(c, function, properties)
    if settings.get("reservedConcurrency") is not None:
        properties["ReservedConcurrentExecutions"] = settings["reservedConcurrency"]
    layers = settings.get("layers") if settings.get("layers") is not None else provider.get("layers")
    if layers is not None:
        properties["Layers"] = layers
    if settings.get("condition"):
        resource["Condition"] = settings["condition"]
    depends_on += settings.get("dependsOn") or ()
    if depends_on:
        resource["DependsOn"] = depends_on
    c.add(naming.function(function.key), resource)


def _code(c: Compilation, function: Function) -> dict[str, Json]:
    settings = function.config
    if settings.get("image") is not None and settings.get("handler"):
        message = f"the function '{function.key}' has both 'handler' and 'image'"
        c.mistake(message, (*function.path, "image"), "keep one of them")
    if settings.get("image") is not None:
        return _image(c, function)
    artifact = c.artifacts.of_function(function.key)
    properties: dict[str, Json] = {"Code": {"S3Bucket": c.bucket, "S3Key": c.s3_key(artifact.file_name)}}
    management = settings.get("runtimeManagement") or c.service.setting("runtimeManagement")
    if management:
        chosen = management if isinstance(management, dict) else {"mode": management}
        if chosen.get("mode") != "auto":
            properties["RuntimeManagementConfig"] = {"UpdateRuntimeOn": _MANAGEMENT[chosen["mode"]]}
        if chosen.get("mode") == "manual":
            properties["RuntimeManagementConfig"]["RuntimeVersionArn"] = chosen.get("arn")
    properties["Handler"] = settings.get("handler")
    properties["Runtime"] = runtime(c, function)
    return properties


def runtime(c: Compilation, function: Function) -> str:
    return str(function.get("runtime") or c.service.setting("runtime") or DEFAULT_RUNTIME)


def _image(c: Compilation, function: Function) -> dict[str, Json]:
    image = function.config["image"]
    config = image if isinstance(image, dict) else {}
    properties: dict[str, Json] = {"Code": {"ImageUri": _checked_uri(c, function)}, "PackageType": "Image"}
    names = {"Command": "command", "EntryPoint": "entryPoint", "WorkingDirectory": "workingDirectory"}
    overrides = {name: config[key] for name, key in names.items() if config.get(key) not in (None, "")}
    if overrides:
        properties["ImageConfig"] = overrides
    return properties


def _checked_uri(c: Compilation, function: Function) -> str | None:
    """The image's URI; everything that is wrong with how it is given is a mistake."""
    image = function.config["image"]
    path: Path = (*function.path, "image")
    config = image if isinstance(image, dict) else {}
    if config.get("uri") and config.get("name"):
        c.mistake(f"the image of '{function.key}' has both 'uri' and 'name'", path, "keep one of them")
        return None
    uri = image_uri(c, function)
    if uri is None:
        _no_uri(c, path, str(config.get("name") or image))
    elif "@sha256:" not in uri:
        hint = (
            "give the image by its digest (…@sha256:…), or give a zip: only ECR knows what a tag means today"
        )
        c.mistake(f"the image '{uri}' has no digest", path, hint)
    return uri


def _no_uri(c: Compilation, path: Path, name: str) -> None:
    images = c.service.setting("ecr", "images") or {}
    defined = images.get(name)
    if defined is None:
        known = ", ".join(images) or "none"
        message = f"the image '{name}' is not defined in provider.ecr.images"
        c.mistake(message, path, f"defined there: {known}")
        return
    there: Path = ("provider", "ecr", "images", name)
    if defined.get("uri"):
        c.mistake(f"the image '{name}' has both 'uri' and 'path'", there, "keep one of them")
    elif not defined.get("path"):
        c.mistake(f"the image '{name}' has neither 'uri' nor 'path'", there, "give its uri")
    else:
        c.mistake(
            f"the image '{name}' has to be built, which needs Docker", there, "build it and give its uri"
        )


def image_uri(c: Compilation, function: Function) -> str | None:
    """The image of a function: its own URI, or that of a named one; None when there is none that could be used."""
    image = function.config["image"]
    if isinstance(image, dict) and image.get("uri"):
        return str(image["uri"])
    name = image.get("name") if isinstance(image, dict) else image
    if isinstance(name, str) and ".dkr.ecr." in name:
        return name
    defined = c.service.setting("ecr", "images", str(name))
    if isinstance(defined, str):
        return defined
    if isinstance(defined, dict) and defined.get("uri") and not defined.get("path"):
        return str(defined["uri"])
    return None


def _on_error(c: Compilation, function: Function, properties: dict[str, Json]) -> None:
    target = function.get("onError")
    if not target:
        return
    properties["DeadLetterConfig"] = {"TargetArn": target}
    if isinstance(target, str):
        c.allow(["sns:Publish"], [target])


def _key(c: Compilation, function: Function, properties: dict[str, Json]) -> None:
    key = function.get("kmsKeyArn") or function.get("awsKmsKeyArn") or c.service.setting("kmsKeyArn")
    if not key:
        return
    properties["KmsKeyArn"] = key
    if isinstance(key, str):
        c.allow(["kms:Decrypt"], [key])


def _tracing(c: Compilation, function: Function, properties: dict[str, Json]) -> None:
    tracing = function.get("tracing") or c.service.setting("tracing", "lambda")
    if not tracing:
        return
    properties["TracingConfig"] = {"Mode": "Active" if tracing is True else tracing}
    c.allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])


def _environment(c: Compilation, function: Function, properties: dict[str, Json]) -> None:
    own, shared = function.get("environment"), c.service.setting("environment")
    variables = {**(shared or {}), **(own or {})}
    variables = {name: value for name, value in variables.items() if value is not None}
    if own or shared:
        properties["Environment"] = {"Variables": variables}


def _role(c: Compilation, function: Function, properties: dict[str, Json]) -> list[Json]:
    """Set the function's role; what the function must wait for because of it."""
    role = role_of(c.service, function)
    if role is None:
        properties["Role"] = fn.get_att(naming.ROLE)
        return []
    if isinstance(role, str) and not role.startswith("arn:"):
        properties["Role"] = fn.get_att(role)
        return [] if role == naming.ROLE else [role]
    properties["Role"] = role
    attribute = role.get("Fn::GetAtt") if isinstance(role, dict) else None
    return [attribute[0]] if isinstance(attribute, list) else []


def _network(c: Compilation, function: Function, properties: dict[str, Json]) -> None:
    if "vpc" in function.config and function.config["vpc"] is None:
        return
    own, shared = function.get("vpc") or {}, c.service.setting("vpc") or {}
    groups, subnets = (
        own[key] if own.get(key) is not None else shared.get(key) for key in ("securityGroupIds", "subnetIds")
    )
    if groups is None or subnets is None:
        return
    properties["VpcConfig"] = {"SecurityGroupIds": groups, "SubnetIds": subnets}
    dual = own.get("ipv6AllowedForDualStack", shared.get("ipv6AllowedForDualStack"))
    if dual is not None:
        properties["VpcConfig"]["Ipv6AllowedForDualStack"] = dual


def _file_system(c: Compilation, function: Function, properties: dict[str, Json]) -> None:
    system = function.get("fileSystemConfig")
    if not system:
        return
    if "VpcConfig" not in properties:
        message = f"the function '{function.key}' has a file system but no VPC"
        hint = "set 'vpc' on the function or the provider"
        c.mistake(message, (*function.path, "fileSystemConfig"), hint)
    c.allow(["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], [system.get("arn")])
    properties["FileSystemConfigs"] = [
        {"Arn": system.get("arn"), "LocalMountPath": system.get("localMountPath")}
    ]
