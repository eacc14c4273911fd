"""Errors of CloudWatch Logs.

AwsError
  ResourceNotFound, ResourceAlreadyExists, InvalidParameter, LimitExceeded
"""

from __future__ import annotations

from ...kernel import AwsError


class ResourceNotFound(AwsError):
    code = "ResourceNotFoundException"


class ResourceAlreadyExists(AwsError):
    code = "ResourceAlreadyExistsException"


class InvalidParameter(AwsError):
    code = "InvalidParameterException"


class LimitExceeded(AwsError):
    code = "LimitExceededException"
