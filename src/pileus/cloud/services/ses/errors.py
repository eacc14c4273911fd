"""Errors of SES. Version 1 and 2 name the same mistakes differently.

AwsError
  MessageRejected, InvalidParameterValue, NotFound, AlreadyExists, BadRequest, LimitExceeded
"""

from __future__ import annotations

from ...kernel import AwsError


class MessageRejected(AwsError):
    code = "MessageRejected"


class InvalidParameterValue(AwsError):
    code = "InvalidParameterValue"


class NotFound(AwsError):
    code = "NotFoundException"
    status = 404


class AlreadyExists(AwsError):
    code = "AlreadyExistsException"


class BadRequest(AwsError):
    code = "BadRequestException"
