"""What S3 refuses, in its own words.

    AwsError
      S3Error                        the code is the class's name
        400  InvalidArgument, InvalidBucketName, InvalidDigest, BadDigest, InvalidPart, InvalidPartOrder, …
        403  AccessDenied
        404  NoSuchBucket, NoSuchKey, NoSuchVersion, NoSuchUpload, … (one for each configuration that is not there)
        405  MethodNotAllowed
        409  BucketAlreadyExists, BucketAlreadyOwnedByYou, BucketNotEmpty, …
        412  PreconditionFailed
        416  InvalidRange, InvalidPartNumber
        501  HeaderNotImplemented      (code NotImplemented)

Members are the further elements of the error's XML (`BucketName`, `Key`, …).
"""

from __future__ import annotations

from typing import Any, ClassVar

from ...kernel import AwsError


class S3Error(AwsError):
    words: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "code" not in vars(cls):
            cls.code = cls.__name__

    def __init__(self, message: str = "", /, **members: Any) -> None:
        super().__init__(message or self.words, **members)


class AccessDenied(S3Error):
    status = 403
    words = "Access Denied"


class AccessControlListNotSupported(S3Error):
    words = "The bucket does not allow ACLs"


class BadDigest(S3Error):
    words = "The Content-MD5 you specified did not match what we received."


class BucketAlreadyExists(S3Error):
    status = 409
    words = (
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system."
        " Please select a different name and try again."
    )


class BucketAlreadyOwnedByYou(S3Error):
    status = 409
    words = "Your previous request to create the named bucket succeeded and you already own it."


class BucketNotEmpty(S3Error):
    status = 409
    words = "The bucket you tried to delete is not empty"


class EntityTooLarge(S3Error):
    words = "Your proposed upload exceeds the maximum allowed size"


class EntityTooSmall(S3Error):
    words = "Your proposed upload is smaller than the minimum allowed size"


class HeaderNotImplemented(S3Error):
    code = "NotImplemented"
    status = 501
    words = "A header you provided implies functionality that is not implemented"


class IllegalLocationConstraintException(S3Error):
    words = "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."


class IncompleteBody(S3Error):
    words = "You did not provide the number of bytes specified by the Content-Length HTTP header"


class InvalidArgument(S3Error):
    words = "Invalid Argument"


class InvalidBucketName(S3Error):
    words = "The specified bucket is not valid."


class InvalidBucketState(S3Error):
    status = 409
    words = "The request is not valid for the current state of the bucket."


class InvalidChunkSizeError(S3Error):
    status = 403
    words = "Only the last chunk is allowed to have a size less than 8192 bytes"


class InvalidDigest(S3Error):
    words = "The Content-MD5 you specified was invalid."


class InvalidLocationConstraint(S3Error):
    words = "The specified location-constraint is not valid"


class InvalidPart(S3Error):
    words = (
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the"
        " specified entity tag may not match the part's entity tag."
    )


class InvalidPartNumber(S3Error):
    status = 416
    words = "The requested partnumber is not satisfiable"


class InvalidPartOrder(S3Error):
    words = "The list of parts was not in ascending order. Parts must be ordered by part number."


class InvalidPolicyDocument(S3Error):
    code = "MalformedPolicy"
    words = "Policies must be valid JSON and the first byte must be '{'"


class InvalidRange(S3Error):
    status = 416
    words = "The requested range is not satisfiable"


class InvalidRequest(S3Error):
    words = "Invalid Request"


class InvalidStorageClass(S3Error):
    words = "The storage class you specified is not valid"


class InvalidTag(S3Error):
    words = (
        "The tag provided was not a valid tag. This error can occur if the tag did not pass input validation."
    )


class InvalidURI(S3Error):
    words = "Couldn't parse the specified URI."


class KeyTooLongError(S3Error):
    words = "Your key is too long"


class MalformedPOSTRequest(S3Error):
    words = "The body of your POST request is not well-formed multipart/form-data."


class MalformedXML(S3Error):
    words = "The XML you provided was not well-formed or did not validate against our published schema"


class MetadataTooLarge(S3Error):
    words = "Your metadata headers exceed the maximum allowed metadata size"


class MethodNotAllowed(S3Error):
    status = 405
    words = "The specified method is not allowed against this resource."


class MissingContentLength(S3Error):
    status = 411
    words = "You must provide the Content-Length HTTP header."


class NoSuchBucket(S3Error):
    status = 404
    words = "The specified bucket does not exist"


class NoSuchBucketPolicy(S3Error):
    status = 404
    words = "The bucket policy does not exist"


class NoSuchCORSConfiguration(S3Error):
    status = 404
    words = "The CORS configuration does not exist"


class NoSuchKey(S3Error):
    status = 404
    words = "The specified key does not exist."


class NoSuchLifecycleConfiguration(S3Error):
    status = 404
    words = "The lifecycle configuration does not exist"


class NoSuchPublicAccessBlockConfiguration(S3Error):
    status = 404
    words = "The public access block configuration was not found"


class NoSuchTagSet(S3Error):
    status = 404
    words = "The TagSet does not exist"


class NoSuchUpload(S3Error):
    status = 404
    words = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or"
        " completed."
    )


class NoSuchVersion(S3Error):
    status = 404
    words = "The specified version does not exist."


class NotFound(S3Error):
    """What HEAD says, whose answers have no body."""

    code = "404"
    status = 404
    words = "Not Found"


class OwnershipControlsNotFoundError(S3Error):
    status = 404
    words = "The bucket ownership controls were not found"


class PreconditionFailed(S3Error):
    status = 412
    words = "At least one of the pre-conditions you specified did not hold"


class ServerSideEncryptionConfigurationNotFoundError(S3Error):
    status = 404
    words = "The server side encryption configuration was not found"


class SignatureDoesNotMatch(S3Error):
    status = 403
    words = (
        "The request signature we calculated does not match the signature you provided. Check your key and signing"
        " method."
    )


class TooManyBuckets(S3Error):
    words = "You have attempted to create more buckets than allowed"


class XAmzContentSHA256Mismatch(S3Error):
    words = "The provided 'x-amz-content-sha256' header does not match what was computed."
