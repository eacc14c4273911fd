"""What the control plane answers with.

AwsError
  BadRequestException
  ConflictException
  LimitExceededException
  NotFoundException
"""

from __future__ import annotations

from pileus.cloud.kernel import AwsError


class BadRequestException(AwsError):
    code = "BadRequestException"


class ConflictException(AwsError):
    code = "ConflictException"
    status = 409


class LimitExceededException(AwsError):
    code = "LimitExceededException"
    status = 429


class NotFoundException(AwsError):
    code = "NotFoundException"
    status = 404
