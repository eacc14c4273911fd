"""What `pileus print` shows: the resolved configuration with the defaults that the framework fills in."""

from pileus.service.model import Service
from pileus.service.tree import Json, copy


def shown(service: Service) -> dict[str, Json]:
    """The configuration as plain data, ready to be written as YAML or JSON."""
    config: dict[str, Json] = copy(service.config)
    provider = config["provider"]
    if provider.get("name") != "aws":
        return config
    bucket = provider.get("deploymentBucket")
    provider.setdefault("stage", "dev")
    if "region" in service.options or "region" not in provider:
        provider["region"] = service.region
    provider.setdefault("versionFunctions", True)
    if isinstance(bucket, dict):
        provider["deploymentBucket"] = bucket.get("name")
        provider["deploymentBucketObject"] = bucket
    package = config.get("package")
    if isinstance(package, dict):  # added to a block that is written out, whatever it holds
        prefix = provider.get("deploymentPrefix", "serverless")
        package["artifactsS3KeyDirname"] = f"{prefix}/{service.name}/{service.stage}/code-artifacts"
    return config
