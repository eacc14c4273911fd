"""Where services differ from what their models say, in one table.

Everything here is a fact about AWS: which error says that a constraint is broken, how an error's type is prefixed, what
the root elements of S3's answers are called, which protocols a service speaks besides the model's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pileus.cloud.kernel.errors import AwsError, ValidationError, ValidationException
from pileus.cloud.protocol.errors import (
    BadRequestBody,
    BadRequestException,
    InvalidParameterException,
    InvalidRequest,
    InvalidRequestException,
    MalformedInput,
    MalformedXML,
    MissingParameter,
    SerializationException,
)

CORAL = "com.amazon.coral.service#"

# Errors of AWS's server framework, not of the service: their types have prefixes of their own where types have any,
# and their text stands under `Message`.
FRAMEWORK_ERRORS: Mapping[str, str] = {
    "AccessDeniedException": CORAL,
    "ExpiredTokenException": CORAL,
    "IncompleteSignatureException": CORAL,
    "InternalFailure": CORAL,
    "InvalidSignatureException": CORAL,
    "MissingAuthenticationTokenException": CORAL,
    "SerializationException": CORAL,
    "ThrottlingException": "com.amazon.coral.availability#",
    "UnknownOperationException": CORAL,
    "UnrecognizedClientException": CORAL,
    "ValidationException": "com.amazon.coral.validate#",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """One service's differences.

    validation: the error of a broken constraint. validate_constraints: False where the service checks enum, length,
    range and pattern itself, in its own words. missing, missing_text: the error of a missing required member
    ({name} is the member's), where it isn't a broken constraint like others. unchecked: shapes whose constraints AWS does
    not enforce. serialization: the error of a body that can't be read.
    error_namespace: prefix of `__type`. query_errors: error shape → the query protocol's code.
    protocols: spoken besides the model's. namespace: of query answers where the model has none. wire_names: member, list
    or map traits that only the query protocol has. iso_millis: whether ISO timestamps have milliseconds.
    address_member: what a query request's own URL stands for where the parameter is missing.
    roots: S3's root elements by operation. error_defaults: members of error shapes, by whether the sender is at fault.
    crc32: whether answers carry `x-amz-crc32`. blob_type: content type of raw payloads that name none.
    """

    validation: type[AwsError] = ValidationException
    validate_constraints: bool = True
    missing: type[AwsError] | None = None
    missing_text: str = ""
    unchecked: frozenset[str] = frozenset()
    serialization: type[SerializationException] = SerializationException
    error_namespace: str = ""
    query_errors: Mapping[str, str] = field(default_factory=dict)
    protocols: tuple[str, ...] = ()
    namespace: str = ""
    wire_names: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    address_member: str = ""
    iso_millis: bool = True
    roots: Mapping[str, str] = field(default_factory=dict)
    error_defaults: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    crc32: bool = False
    blob_type: str = "application/octet-stream"


_SQS_PREFIX = "AWS.SimpleQueueService."
_SQS_ERRORS = {
    "BatchEntryIdsNotDistinct": _SQS_PREFIX + "BatchEntryIdsNotDistinct",
    "BatchRequestTooLong": _SQS_PREFIX + "BatchRequestTooLong",
    "EmptyBatchRequest": _SQS_PREFIX + "EmptyBatchRequest",
    "InvalidBatchEntryId": _SQS_PREFIX + "InvalidBatchEntryId",
    "KmsAccessDenied": "KMS.AccessDeniedException",
    "KmsDisabled": "KMS.DisabledException",
    "KmsInvalidKeyUsage": "KMS.InvalidKeyUsageException",
    "KmsInvalidState": "KMS.InvalidStateException",
    "KmsNotFound": "KMS.NotFoundException",
    "KmsOptInRequired": "KMS.OptInRequired",
    "KmsThrottled": "KMS.ThrottlingException",
    "MessageNotInflight": _SQS_PREFIX + "MessageNotInflight",
    "PurgeQueueInProgress": _SQS_PREFIX + "PurgeQueueInProgress",
    "QueueDeletedRecently": _SQS_PREFIX + "QueueDeletedRecently",
    "QueueDoesNotExist": _SQS_PREFIX + "NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "TooManyEntriesInBatchRequest": _SQS_PREFIX + "TooManyEntriesInBatchRequest",
    "UnsupportedOperation": _SQS_PREFIX + "UnsupportedOperation",
}


def _named(name: str) -> Mapping[str, Any]:
    return {"flattened": True, "member": {"locationName": name}}


def _pairs(name: str, key: str = "Name") -> Mapping[str, Any]:
    return {"flattened": True, "locationName": name, "key": key, "value": "Value"}


# The query names of SQS, from the model that botocore had before SQS went over to JSON: still spoken by older SDKs.
_SQS_NAMES: Mapping[str, Mapping[str, Any]] = {
    "AWSAccountIdList": _named("AWSAccountId"),
    "ActionNameList": _named("ActionName"),
    "AttributeNameList": _named("AttributeName"),
    "BatchResultErrorEntryList": _named("BatchResultErrorEntry"),
    "BinaryList": _named("BinaryListValue"),
    "ChangeMessageVisibilityBatchRequestEntryList": _named("ChangeMessageVisibilityBatchRequestEntry"),
    "ChangeMessageVisibilityBatchResultEntryList": _named("ChangeMessageVisibilityBatchResultEntry"),
    "DeleteMessageBatchRequestEntryList": _named("DeleteMessageBatchRequestEntry"),
    "DeleteMessageBatchResultEntryList": _named("DeleteMessageBatchResultEntry"),
    "MessageAttributeNameList": _named("MessageAttributeName"),
    "MessageBodyAttributeMap": _pairs("MessageAttribute"),
    "MessageBodySystemAttributeMap": _pairs("MessageSystemAttribute"),
    "MessageList": _named("Message"),
    "MessageSystemAttributeList": _named("MessageSystemAttributeName"),
    "MessageSystemAttributeMap": _pairs("Attribute"),
    "QueueAttributeMap": _pairs("Attribute"),
    "QueueUrlList": _named("QueueUrl"),
    "SendMessageBatchRequestEntryList": _named("SendMessageBatchRequestEntry"),
    "SendMessageBatchResultEntryList": _named("SendMessageBatchResultEntry"),
    "StringList": _named("StringListValue"),
    "TagKeyList": _named("TagKey"),
    "TagMap": _pairs("Tag", "Key"),
}

_S3_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycle": "LifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotification": "NotificationConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
    "ListBucketIntelligentTieringConfigurations": "ListBucketIntelligentTieringConfigurationsResult",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}

_QUERY = Quirks(validation=ValidationError, serialization=MalformedInput)

QUIRKS: Mapping[str, Quirks] = {
    "apigateway": Quirks(validation=BadRequestException, serialization=BadRequestBody),
    "apigatewayv2": Quirks(validation=BadRequestException, serialization=BadRequestBody),
    "cloudformation": _QUERY,
    "cloudwatch": Quirks(
        validation=ValidationError, serialization=MalformedInput, error_namespace="com.amazonaws.cloudwatch#"
    ),
    "dynamodb": Quirks(error_namespace="com.amazonaws.dynamodb.v20120810#", crc32=True),
    "dynamodbstreams": Quirks(error_namespace="com.amazonaws.dynamodb.v20120810#", crc32=True),
    "iam": Quirks(validation=ValidationError, serialization=MalformedInput, iso_millis=False),
    "apigatewaymanagementapi": Quirks(unchecked=frozenset({"Data"})),  # 413 says it
    "lambda": Quirks(error_defaults={"Type": ("User", "Service")}, blob_type="application/json"),
    "logs": Quirks(validation=InvalidParameterException),
    "s3": Quirks(
        validation=InvalidRequest,
        validate_constraints=False,
        missing=InvalidRequest,
        missing_text="Missing required parameter: {name}",
        serialization=MalformedXML,
        namespace="http://s3.amazonaws.com/doc/2006-03-01/",
        roots=_S3_ROOTS,
        blob_type="binary/octet-stream",
    ),
    "ses": _QUERY,
    "sesv2": Quirks(validation=BadRequestException, serialization=SerializationException),
    "sns": _QUERY,
    "sqs": Quirks(
        validate_constraints=False,
        missing=MissingParameter,
        missing_text="The request must contain the parameter {name}.",
        error_namespace="com.amazonaws.sqs#",
        query_errors=_SQS_ERRORS,
        protocols=("query",),
        namespace="http://queue.amazonaws.com/doc/2012-11-05/",
        wire_names=_SQS_NAMES,
        address_member="QueueUrl",
    ),
    "sts": Quirks(validation=ValidationError, serialization=MalformedInput, iso_millis=False),
    "xray": Quirks(validation=InvalidRequestException),
}


def quirks_of(model_name: str, protocol: str) -> Quirks:
    """The service's entry, or what is usual for its protocol."""
    found = QUIRKS.get(model_name)
    if found is not None:
        return found
    if protocol == "rest-xml":
        return Quirks(validation=ValidationError, serialization=MalformedXML)
    return _QUERY if protocol == "query" else Quirks()
