"""The deployment bucket, encrypted and for TLS only, unless the user named one of their own."""

from pileus.compile import intrinsics as fn
from pileus.compile import naming
from pileus.compile.compilation import Compilation, deployment_bucket_name
from pileus.service.tree import Json


def compile_bucket(c: Compilation) -> None:
    settings = c.service.setting("deploymentBucket")
    settings = settings if isinstance(settings, dict) else {}
    name = deployment_bucket_name(c.service)
    if name is not None:
        c.outputs[naming.DEPLOYMENT_BUCKET_OUTPUT] = {"Value": name}
        return
    c.add(naming.DEPLOYMENT_BUCKET, _bucket(settings))
    if not settings.get("skipPolicySetup"):
        c.add(naming.DEPLOYMENT_BUCKET_POLICY, _tls_only())
    c.outputs[naming.DEPLOYMENT_BUCKET_OUTPUT] = {"Value": fn.ref(naming.DEPLOYMENT_BUCKET)}


def _bucket(settings: dict[str, Json]) -> dict[str, Json]:
    encryption = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    properties: dict[str, Json] = {"BucketEncryption": {"ServerSideEncryptionConfiguration": [encryption]}}
    if settings.get("tags"):
        properties["Tags"] = fn.key_values(settings["tags"])
    if settings.get("blockPublicAccess"):
        flags = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        properties["PublicAccessBlockConfiguration"] = dict.fromkeys(flags, True)
    if settings.get("versioning"):
        properties["VersioningConfiguration"] = {"Status": "Enabled"}
    return {"Type": "AWS::S3::Bucket", "Properties": properties}


def _tls_only() -> dict[str, Json]:
    bucket = fn.ref(naming.DEPLOYMENT_BUCKET)
    arn: list[Json] = ["arn:", fn.PARTITION, ":s3:::", bucket]
    statement = {
        "Action": "s3:*",
        "Effect": "Deny",
        "Principal": "*",
        "Resource": [fn.join("", [*arn, "/*"]), fn.join("", arn)],
        "Condition": {"Bool": {"aws:SecureTransport": False}},
    }
    properties = {"Bucket": bucket, "PolicyDocument": {"Statement": [statement]}}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": properties}
