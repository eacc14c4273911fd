"""Errors of EventBridge.

AwsError
  ResourceNotFound, ResourceAlreadyExists, InvalidEventPattern, LimitExceeded, ManagedRule
ValidationException (kernel)
"""

from __future__ import annotations

from ...kernel import AwsError


class ResourceNotFound(AwsError):
    code = "ResourceNotFoundException"


class ResourceAlreadyExists(AwsError):
    code = "ResourceAlreadyExistsException"


class InvalidEventPattern(AwsError):
    code = "InvalidEventPatternException"


class LimitExceeded(AwsError):
    code = "LimitExceededException"
