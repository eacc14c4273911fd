"""The bucket's configurations: versioning, tags, policy, CORS, encryption, public access block, ownership, ACL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import Call, HttpRequest, HttpResponse, NotEmulated, operation
from . import cors
from .base import S3Base
from .body import check_document
from .bucket import Bucket
from .details import check_acl, check_tags, default_encryption
from .errors import (
    AccessControlListNotSupported,
    AccessDenied,
    InvalidArgument,
    InvalidPolicyDocument,
    InvalidTag,
    MalformedXML,
    NoSuchBucketPolicy,
    NoSuchCORSConfiguration,
    NoSuchPublicAccessBlockConfiguration,
    NoSuchTagSet,
    OwnershipControlsNotFoundError,
)

_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_OWNERSHIP = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")
_MAX_POLICY = 20_480


class BucketSettingOperations(S3Base):
    # -- versioning -------------------------------------------------------------------------------------------------

    @operation("PutBucketVersioning")
    def put_bucket_versioning(self, call: Call, request: Mapping[str, Any]) -> None:
        bucket = self._checked(call, request)
        configuration = request["VersioningConfiguration"] or {}
        if configuration.get("MFADelete") == "Enabled" or request.get("MFA") is not None:
            raise NotEmulated("s3 PutBucketVersioning.MFADelete")
        status = configuration.get("Status")
        if status not in ("Enabled", "Suspended"):
            raise MalformedXML
        self.store.execute("UPDATE s3_bucket SET versioning=? WHERE id=?", (status, bucket.id))
        self.bucket_changed(bucket)

    @operation("GetBucketVersioning")
    def get_bucket_versioning(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        versioning = self.bucket(call, request).versioning
        return {} if versioning is None else {"Status": versioning}

    # -- tags -------------------------------------------------------------------------------------------------------

    @operation("PutBucketTagging")
    def put_bucket_tagging(self, call: Call, request: Mapping[str, Any]) -> None:
        bucket = self._checked(call, request)
        tags = check_tags(request["Tagging"].get("TagSet") or [], most=50)
        if call.http is not None and any(tag["Key"].lower().startswith("aws:") for tag in tags):
            raise InvalidTag("System tags cannot be added/updated by requester")
        self.save_setting(bucket, "tags", tags or None)

    @operation("GetBucketTagging")
    def get_bucket_tagging(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        tags = bucket.settings.get("tags")
        if not tags:
            raise NoSuchTagSet(BucketName=bucket.name)
        return {"TagSet": tags}

    @operation("DeleteBucketTagging")
    def delete_bucket_tagging(self, call: Call, request: Mapping[str, Any]) -> None:
        self.save_setting(self.bucket(call, request), "tags", None)

    # -- policy -----------------------------------------------------------------------------------------------------

    @operation("PutBucketPolicy")
    def put_bucket_policy(self, call: Call, request: Mapping[str, Any]) -> None:
        bucket = self._checked(call, request)
        text = request["Policy"]
        document = _policy(text, bucket)
        blocks = bucket.settings.get("public-access-block") or {}
        if blocks.get("BlockPublicPolicy") and _is_public(document):
            raise AccessDenied(
                f"User: {call.principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource:"
                f' "{bucket.arn}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block'
                " Public Access."
            )
        self.save_setting(bucket, "policy", text)

    @operation("GetBucketPolicy")
    def get_bucket_policy(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        if "policy" not in bucket.settings:
            raise NoSuchBucketPolicy(BucketName=bucket.name)
        return {"Policy": bucket.settings["policy"]}

    @operation("DeleteBucketPolicy")
    def delete_bucket_policy(self, call: Call, request: Mapping[str, Any]) -> None:
        self.save_setting(self.bucket(call, request), "policy", None)

    @operation("GetBucketPolicyStatus")
    def get_bucket_policy_status(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        if "policy" not in bucket.settings:
            raise NoSuchBucketPolicy(BucketName=bucket.name)
        return {"PolicyStatus": {"IsPublic": _is_public(orjson.loads(bucket.settings["policy"]))}}

    # -- CORS -------------------------------------------------------------------------------------------------------

    @operation("PutBucketCors")
    def put_bucket_cors(self, call: Call, request: Mapping[str, Any]) -> None:
        bucket = self._checked(call, request)
        rules = request["CORSConfiguration"].get("CORSRules") or []
        cors.check_rules(rules)
        self.save_setting(bucket, "cors", rules)

    @operation("GetBucketCors")
    def get_bucket_cors(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        if "cors" not in bucket.settings:
            raise NoSuchCORSConfiguration(BucketName=bucket.name)
        return {"CORSRules": bucket.settings["cors"]}

    @operation("DeleteBucketCors")
    def delete_bucket_cors(self, call: Call, request: Mapping[str, Any]) -> None:
        self.save_setting(self.bucket(call, request), "cors", None)

    def preflight(self, bucket_name: str, request: HttpRequest) -> HttpResponse:
        """The answer to a browser's OPTIONS request, which is no API operation; the gateway asks for it."""
        bucket = self.find_bucket(bucket_name)
        rules = bucket.settings.get("cors") if bucket is not None else None
        return HttpResponse(200, cors.preflight_headers(rules, request))

    # -- encryption -------------------------------------------------------------------------------------------------

    @operation("PutBucketEncryption")
    def put_bucket_encryption(self, call: Call, request: Mapping[str, Any]) -> None:
        bucket = self._checked(call, request)
        rules = request["ServerSideEncryptionConfiguration"].get("Rules") or []
        if len(rules) != 1:
            raise MalformedXML
        rule = rules[0]
        if rule.get("BlockedEncryptionTypes"):
            raise NotEmulated("s3 PutBucketEncryption.BlockedEncryptionTypes")
        chosen = rule.get("ApplyServerSideEncryptionByDefault") or {}
        algorithm = chosen.get("SSEAlgorithm")
        if algorithm == "aws:kms:dsse":
            raise NotEmulated("s3 server-side encryption aws:kms:dsse")
        if algorithm not in ("AES256", "aws:kms"):
            raise MalformedXML
        if algorithm == "AES256" and chosen.get("KMSMasterKeyID"):
            raise InvalidArgument(
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
                ArgumentName="ApplyServerSideEncryptionByDefault",
            )
        self.save_setting(bucket, "encryption", {"BucketKeyEnabled": False, **rule})

    @operation("GetBucketEncryption")
    def get_bucket_encryption(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        rule = default_encryption(self.bucket(call, request))
        return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}

    @operation("DeleteBucketEncryption")
    def delete_bucket_encryption(self, call: Call, request: Mapping[str, Any]) -> None:
        self.save_setting(self.bucket(call, request), "encryption", None)

    # -- public access and ownership --------------------------------------------------------------------------------

    @operation("PutPublicAccessBlock")
    def put_public_access_block(self, call: Call, request: Mapping[str, Any]) -> None:
        bucket = self._checked(call, request)
        given = request["PublicAccessBlockConfiguration"] or {}
        self.save_setting(
            bucket, "public-access-block", {name: bool(given.get(name, False)) for name in _BLOCKS}
        )

    @operation("GetPublicAccessBlock")
    def get_public_access_block(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        if "public-access-block" not in bucket.settings:
            raise NoSuchPublicAccessBlockConfiguration(BucketName=bucket.name)
        return {"PublicAccessBlockConfiguration": bucket.settings["public-access-block"]}

    @operation("DeletePublicAccessBlock")
    def delete_public_access_block(self, call: Call, request: Mapping[str, Any]) -> None:
        self.save_setting(self.bucket(call, request), "public-access-block", None)

    @operation("PutBucketOwnershipControls")
    def put_bucket_ownership_controls(self, call: Call, request: Mapping[str, Any]) -> None:
        bucket = self._checked(call, request)
        rules = request["OwnershipControls"].get("Rules") or []
        if len(rules) != 1 or rules[0].get("ObjectOwnership") not in _OWNERSHIP:
            raise MalformedXML
        self.save_setting(bucket, "ownership", rules[0]["ObjectOwnership"])

    @operation("GetBucketOwnershipControls")
    def get_bucket_ownership_controls(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        if "ownership" not in bucket.settings:
            raise OwnershipControlsNotFoundError(BucketName=bucket.name)
        return {"OwnershipControls": {"Rules": [{"ObjectOwnership": bucket.settings["ownership"]}]}}

    @operation("DeleteBucketOwnershipControls")
    def delete_bucket_ownership_controls(self, call: Call, request: Mapping[str, Any]) -> None:
        self.save_setting(self.bucket(call, request), "ownership", None)

    # -- ACL --------------------------------------------------------------------------------------------------------

    @operation("GetBucketAcl")
    def get_bucket_acl(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        return _private(self.bucket(call, request))

    @operation("PutBucketAcl")
    def put_bucket_acl(self, call: Call, request: Mapping[str, Any]) -> None:
        self._put_acl(call, self._checked(call, request), request)

    @operation("GetObjectAcl")
    def get_object_acl(self, call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self.bucket(call, request)
        self.readable(bucket, request["Key"], request.get("VersionId"))
        return _private(bucket)

    @operation("PutObjectAcl")
    def put_object_acl(self, call: Call, request: Mapping[str, Any]) -> None:
        bucket = self._checked(call, request)
        self.readable(bucket, request["Key"], request.get("VersionId"))
        self._put_acl(call, bucket, request)

    def _put_acl(self, call: Call, bucket: Bucket, request: Mapping[str, Any]) -> None:
        """All that is private stays so; everything else is refused, by S3 or by us."""
        if request.get("AccessControlPolicy"):
            if bucket.ownership == "BucketOwnerEnforced":
                raise AccessControlListNotSupported
            raise NotEmulated(f"s3 {call.operation}.AccessControlPolicy")
        check_acl(call, bucket, request)

    def _checked(self, call: Call, request: Mapping[str, Any]) -> Bucket:
        bucket = self.bucket(call, request)
        check_document(call.http, request)
        return bucket


def _private(bucket: Bucket) -> dict[str, Any]:
    grantee = {**bucket.owner, "Type": "CanonicalUser"}
    return {"Owner": bucket.owner, "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}]}


def _policy(text: str, bucket: Bucket) -> dict[str, Any]:
    """The policy's checks. Source: the words that S3 answers with for each mistake."""
    if len(text.encode()) > _MAX_POLICY:
        raise InvalidPolicyDocument("Policy exceeds the maximum allowed document size.")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidPolicyDocument("This policy contains invalid Json") from None
    if not isinstance(document, dict):
        raise InvalidPolicyDocument
    if document.get("Version", "2008-10-17") not in ("2008-10-17", "2012-10-17"):
        raise InvalidPolicyDocument("The policy must contain a valid version string")
    statements = document.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        raise InvalidPolicyDocument("Missing required field Statement")
    for statement in statements:
        _check_statement(statement, bucket)
    return {**document, "Statement": statements}


def _check_statement(statement: Any, bucket: Bucket) -> None:
    if not isinstance(statement, dict):
        raise InvalidPolicyDocument("This policy contains invalid Json")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise InvalidPolicyDocument(f"Invalid effect: {statement.get('Effect')}")
    if "Principal" not in statement and "NotPrincipal" not in statement:
        raise InvalidPolicyDocument("Missing required field Principal")
    if "Action" not in statement and "NotAction" not in statement:
        raise InvalidPolicyDocument("Missing required field Action")
    if "Resource" not in statement and "NotResource" not in statement:
        raise InvalidPolicyDocument("Missing required field Resource")
    for action in _listed(statement.get("Action") or statement.get("NotAction")):
        if not isinstance(action, str) or not (action == "*" or action.lower().startswith("s3:")):
            raise InvalidPolicyDocument("Policy has invalid action")
    for resource in _listed(statement.get("Resource") or statement.get("NotResource")):
        if not isinstance(resource, str) or not _names(resource, bucket):
            raise InvalidPolicyDocument("Policy has invalid resource")


def _names(resource: str, bucket: Bucket) -> bool:
    return resource in (bucket.arn, "*") or resource.startswith((f"{bucket.arn}/", f"{bucket.arn}*"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_public(document: Mapping[str, Any]) -> bool:
    """Whether a statement allows anyone without a condition (S3 user guide, "The meaning of 'public'")."""
    for statement in (
        document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    ):
        principal = statement.get("Principal")
        anyone = principal == "*" or (isinstance(principal, dict) and "*" in _listed(principal.get("AWS")))
        if statement["Effect"] == "Allow" and anyone and not statement.get("Condition"):
            return True
    return False
