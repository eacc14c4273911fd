"""What DynamoDB refuses with.

AwsError
  ValidationException (kernel)          a request that makes no sense
  ResourceNotFoundException             no such table or index
    TableNotFoundException              … as the backup operations call it
  ResourceInUseException                the table is there already, or is changing
  LimitExceededException
  ConditionalCheckFailedException       Item: the item as it is, where asked for
  ItemCollectionSizeLimitExceededException
  TransactionCanceledException          CancellationReasons: one for each action
  IdempotentParameterMismatchException
  PolicyNotFoundException
"""

from __future__ import annotations

from pileus.cloud.kernel import AwsError, ValidationException

__all__ = [
    "ConditionalCheckFailedException",
    "IdempotentParameterMismatchException",
    "ItemCollectionSizeLimitExceededException",
    "LimitExceededException",
    "PolicyNotFoundException",
    "ResourceInUseException",
    "ResourceNotFoundException",
    "TableNotFoundException",
    "TransactionCanceledException",
    "ValidationException",
    "invalid_value",
]


class ResourceNotFoundException(AwsError):
    code = "ResourceNotFoundException"


class TableNotFoundException(AwsError):
    code = "TableNotFoundException"


class ResourceInUseException(AwsError):
    code = "ResourceInUseException"


class LimitExceededException(AwsError):
    code = "LimitExceededException"


class ConditionalCheckFailedException(AwsError):
    code = "ConditionalCheckFailedException"


class ItemCollectionSizeLimitExceededException(AwsError):
    code = "ItemCollectionSizeLimitExceededException"


class TransactionCanceledException(AwsError):
    code = "TransactionCanceledException"


class IdempotentParameterMismatchException(AwsError):
    code = "IdempotentParameterMismatchException"


class PolicyNotFoundException(AwsError):
    code = "PolicyNotFoundException"


def invalid_value(what: str) -> ValidationException:
    """The opening with which DynamoDB refuses most values."""
    return ValidationException(f"One or more parameter values were invalid: {what}")
