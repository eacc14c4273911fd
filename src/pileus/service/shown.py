"""What `pileus print` shows: the resolved configuration with the defaults that the framework fills in."""

from pileus.service.model import Service
from pileus.service.tree import Json, copy, get


def shown(service: Service) -> dict[str, Json]:
    """The configuration as plain data, ready to be written as YAML or JSON."""
    config: dict[str, Json] = copy(service.config)
    provider = config["provider"]
    if provider.get("name") != "aws":
        return config
    bucket = provider.get("deploymentBucket")
    provider.setdefault("stage", "dev")
    provider.setdefault("region", "us-east-1")
    provider.setdefault("versionFunctions", True)
    if isinstance(bucket, dict):
        provider["deploymentBucket"] = bucket.get("name")
        provider["deploymentBucketObject"] = bucket
    functions = service.functions.values()
    if get(config, "package", "artifact") or any(
        function.get("package", "artifact") for function in functions
    ):
        prefix = provider.get("deploymentPrefix", "serverless")
        directory = f"{prefix}/{service.name}/{service.stage}/code-artifacts"
        config.setdefault("package", {}).setdefault("artifactsS3KeyDirname", directory)
    return config
