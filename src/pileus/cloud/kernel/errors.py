"""Errors that an operation answers with.

    AwsError                an error of AWS's, with its code, status and words
      NotEmulated           what Pileus does not do, said out loud (HTTP 501)
      InternalFailure       a bug of ours, after the one boundary has printed its traceback

Each service draws its own tree from `AwsError` in its `errors.py`. Members that the service model gives an error
shape (`CancellationReasons`, `Item`, …) are passed by name and serialised with it.
"""

from __future__ import annotations

from typing import Any, ClassVar


class AwsError(Exception):
    """An error response of an AWS API.

    code: the code on the wire, as the service model names it (`error.code` where it differs from the shape's name).
    status: the HTTP status.
    message: AWS's words.
    members: further members of the error's shape.
    """

    code: ClassVar[str] = "InternalFailure"
    status: ClassVar[int] = 400

    def __init__(self, message: str = "", /, **members: Any) -> None:
        super().__init__(message)
        self.message = message
        self.members = members

    @property
    def is_sender_fault(self) -> bool:
        return self.status < 500

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


class NotEmulated(AwsError):
    """Pileus does not emulate this yet; nothing was changed.

    what: service, operation and field, for example `sqs SendMessage.MessageSystemAttributes`.
    """

    code = "NotEmulated"
    status = 501

    def __init__(self, what: str, /, hint: str = "") -> None:
        text = f"Pileus does not emulate {what} yet; the call was refused and nothing was changed."
        super().__init__(f"{text} {hint}".strip())


class InternalFailure(AwsError):
    code = "InternalFailure"
    status = 500


class ValidationError(AwsError):
    """The error with which most query and JSON services refuse a malformed request."""

    code = "ValidationError"


class ValidationException(AwsError):
    """`ValidationError` as the newer JSON and REST services spell it."""

    code = "ValidationException"
