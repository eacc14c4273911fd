"""Errors of CloudFormation.

AwsError
  ValidationError              most refusals, with CloudFormation's words
    TemplateError              something is wrong with the template itself
  AlreadyExistsException, InsufficientCapabilitiesException
  ChangeSetNotFound, InvalidChangeSetStatus
"""

from __future__ import annotations

from ...kernel import AwsError, ValidationError


class TemplateError(ValidationError):
    """A template that CloudFormation refuses, or a function in it that cannot be resolved."""


class AlreadyExistsException(AwsError):
    code = "AlreadyExistsException"


class InsufficientCapabilitiesException(AwsError):
    code = "InsufficientCapabilitiesException"


class ChangeSetNotFound(AwsError):
    code = "ChangeSetNotFound"
    status = 404


class InvalidChangeSetStatus(AwsError):
    code = "InvalidChangeSetStatus"


class TokenAlreadyExistsException(AwsError):
    code = "TokenAlreadyExistsException"


class StepFailed(Exception):
    """A resource's own failure, with the reason that its event shows (custom resources)."""
