"""Errors of Lambda.

LambdaError
  ResourceNotFoundException, ResourceConflictException, ResourceInUseException
  InvalidParameterValueException, InvalidRequestContentException, PreconditionFailedException
  AccessDeniedException, TooManyRequestsException, RequestTooLargeException, RequestEntityTooLargeException
  ProvisionedConcurrencyConfigNotFoundException, CodeSigningConfigNotFoundException, CodeVerificationFailedException
  PolicyLengthExceededException, RecursiveInvocationException, ServiceException
"""

from __future__ import annotations

from typing import Any

from ...kernel import AwsError


class LambdaError(AwsError):
    """Every error of Lambda has a `Type`, `User` unless the service itself is at fault."""

    def __init__(self, message: str = "", /, **members: Any) -> None:
        super().__init__(message, **{"Type": "User" if self.status < 500 else "Service", **members})


class ResourceNotFoundException(LambdaError):
    code = "ResourceNotFoundException"
    status = 404


class ResourceConflictException(LambdaError):
    code = "ResourceConflictException"
    status = 409


class ResourceInUseException(LambdaError):
    code = "ResourceInUseException"


class InvalidParameterValueException(LambdaError):
    code = "InvalidParameterValueException"


class InvalidRequestContentException(LambdaError):
    code = "InvalidRequestContentException"


class PreconditionFailedException(LambdaError):
    code = "PreconditionFailedException"
    status = 412


class AccessDeniedException(LambdaError):
    code = "AccessDeniedException"
    status = 403


class ProvisionedConcurrencyConfigNotFoundException(LambdaError):
    code = "ProvisionedConcurrencyConfigNotFoundException"
    status = 404


class CodeSigningConfigNotFoundException(LambdaError):
    code = "CodeSigningConfigNotFoundException"
    status = 404


class CodeVerificationFailedException(LambdaError):
    code = "CodeVerificationFailedException"


class PolicyLengthExceededException(LambdaError):
    code = "PolicyLengthExceededException"


class RecursiveInvocationException(LambdaError):
    code = "RecursiveInvocationException"


class RequestEntityTooLargeException(LambdaError):
    code = "RequestEntityTooLargeException"
    status = 413


class TooManyRequestsException(LambdaError):
    code = "TooManyRequestsException"
    status = 429


class RequestTooLargeException(LambdaError):
    code = "RequestTooLargeException"
    status = 413


class ServiceException(LambdaError):
    code = "ServiceException"
    status = 500
