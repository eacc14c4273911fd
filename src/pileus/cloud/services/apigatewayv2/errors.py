"""What the control plane answers with.

AwsError
  BadRequestException
  ConflictException
  NotFoundException
"""

from __future__ import annotations

from pileus.cloud.kernel import AwsError


class BadRequestException(AwsError):
    code = "BadRequestException"


class ConflictException(AwsError):
    code = "ConflictException"
    status = 409


class NotFoundException(AwsError):
    code = "NotFoundException"
    status = 404
