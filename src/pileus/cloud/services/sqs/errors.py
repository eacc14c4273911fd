"""What SQS refuses, in its own words.

    AwsError
      SqsError
        QueueDoesNotExist, QueueNameExists, QueueDeletedRecently, PurgeQueueInProgress
        InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue, MissingParameter
        InvalidMessageContents, ReceiptHandleIsInvalid, OverLimit
        EmptyBatchRequest, TooManyEntriesInBatchRequest, BatchEntryIdsNotDistinct,
        InvalidBatchEntryId, BatchRequestTooLong
        ResourceNotFoundException, UnsupportedOperation

Codes are the names of the model's shapes; the protocol layer says them as the client's protocol does
(`QueueDoesNotExist` is `AWS.SimpleQueueService.NonExistentQueue` to most clients).
"""

from __future__ import annotations

from ...kernel import AwsError


class SqsError(AwsError):
    pass


class QueueDoesNotExist(SqsError):
    code = "QueueDoesNotExist"

    def __init__(self, message: str = "The specified queue does not exist.") -> None:
        super().__init__(message)


class QueueNameExists(SqsError):
    code = "QueueNameExists"

    def __init__(self, attribute: str) -> None:
        super().__init__(
            "A queue already exists with the same name and a different value for attribute " + attribute
        )


class QueueDeletedRecently(SqsError):
    code = "QueueDeletedRecently"

    def __init__(self) -> None:
        super().__init__(
            "You must wait 60 seconds after deleting a queue before you can create another with the same name."
        )


class PurgeQueueInProgress(SqsError):
    code = "PurgeQueueInProgress"
    status = 403

    def __init__(self, queue_name: str) -> None:
        super().__init__(f"Only one PurgeQueue operation on {queue_name} is allowed every 60 seconds.")


class InvalidAttributeName(SqsError):
    code = "InvalidAttributeName"

    @classmethod
    def unknown(cls, name: str) -> InvalidAttributeName:
        return cls(f"Unknown Attribute {name}.")


class InvalidAttributeValue(SqsError):
    code = "InvalidAttributeValue"

    @classmethod
    def of(cls, name: str) -> InvalidAttributeValue:
        return cls(f"Invalid value for the parameter {name}.")


class InvalidParameterValue(SqsError):
    code = "InvalidParameterValue"

    @classmethod
    def of(cls, value: object, name: str, reason: str) -> InvalidParameterValue:
        return cls(f"Value {value} for parameter {name} is invalid. Reason: {reason}")


class MissingParameter(SqsError):
    code = "MissingParameter"

    @classmethod
    def of(cls, name: str) -> MissingParameter:
        return cls(f"The request must contain the parameter {name}.")


class InvalidMessageContents(SqsError):
    code = "InvalidMessageContents"


class ReceiptHandleIsInvalid(SqsError):
    code = "ReceiptHandleIsInvalid"
    status = 404

    def __init__(self, handle: str) -> None:
        super().__init__(f'The input receipt handle "{handle}" is not a valid receipt handle.')


class OverLimit(SqsError):
    code = "OverLimit"
    status = 403


class EmptyBatchRequest(SqsError):
    code = "EmptyBatchRequest"

    def __init__(self, entry_shape: str) -> None:
        super().__init__(f"There should be at least one {entry_shape} in the request.")


class TooManyEntriesInBatchRequest(SqsError):
    code = "TooManyEntriesInBatchRequest"

    def __init__(self, count: int) -> None:
        super().__init__(f"Maximum number of entries per request are 10. You have sent {count}.")


class BatchEntryIdsNotDistinct(SqsError):
    code = "BatchEntryIdsNotDistinct"

    def __init__(self, entry_id: str) -> None:
        super().__init__(f"Id {entry_id} repeated.")


class InvalidBatchEntryId(SqsError):
    code = "InvalidBatchEntryId"

    def __init__(self) -> None:
        super().__init__(
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long."
        )


class BatchRequestTooLong(SqsError):
    code = "BatchRequestTooLong"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"Batch requests cannot be longer than {limit} bytes. You have sent {size} bytes.")


class ResourceNotFoundException(SqsError):
    code = "ResourceNotFoundException"
    status = 404


class UnsupportedOperation(SqsError):
    code = "UnsupportedOperation"
