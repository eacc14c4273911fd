"""Errors of Secrets Manager.

AwsError
  ResourceNotFoundException, ResourceExistsException
  InvalidParameterException, InvalidRequestException, InvalidNextTokenException
  LimitExceededException, MalformedPolicyDocumentException
"""

from __future__ import annotations

from ...kernel import AwsError


class ResourceNotFoundException(AwsError):
    code = "ResourceNotFoundException"


class ResourceExistsException(AwsError):
    code = "ResourceExistsException"


class InvalidParameterException(AwsError):
    code = "InvalidParameterException"


class InvalidRequestException(AwsError):
    code = "InvalidRequestException"


class InvalidNextTokenException(AwsError):
    code = "InvalidNextTokenException"


class LimitExceededException(AwsError):
    code = "LimitExceededException"


class MalformedPolicyDocumentException(AwsError):
    code = "MalformedPolicyDocumentException"
