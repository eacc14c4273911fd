"""Errors of IAM, with the codes and statuses of its service model.

AwsError
  NoSuchEntity, EntityAlreadyExists, DeleteConflict, LimitExceeded
  InvalidInput, MalformedPolicyDocument, PolicyNotAttachable
"""

from __future__ import annotations

from ...kernel import AwsError


class NoSuchEntity(AwsError):
    code = "NoSuchEntity"
    status = 404


class EntityAlreadyExists(AwsError):
    code = "EntityAlreadyExists"
    status = 409


class DeleteConflict(AwsError):
    code = "DeleteConflict"
    status = 409


class LimitExceeded(AwsError):
    code = "LimitExceeded"
    status = 409


class InvalidInput(AwsError):
    code = "InvalidInput"


class MalformedPolicyDocument(AwsError):
    code = "MalformedPolicyDocument"


class UnmodifiableEntity(AwsError):
    code = "UnmodifiableEntity"
