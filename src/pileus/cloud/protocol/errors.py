"""What the protocol layer itself refuses, before a service has seen the request.

    AwsError
      UnknownOperation            no operation answers this request
        InvalidAction             … as query services say it
        MissingAction
        MethodNotAllowed          … as S3 says it
      SerializationException      the body is not what the shapes say
        MalformedInput            … as query services say it
        MalformedXML              … as S3 says it
        BadRequestBody            … as API Gateway says it
      ValidationException, …      in kernel.errors: a value breaks a constraint of the model

`UnmodelledMember` is no answer but a bug of ours: a service returned what its model does not have.
"""

from __future__ import annotations

from typing import ClassVar

from pileus.cloud.kernel.errors import AwsError


class UnmodelledMember(Exception):
    """A result holds a member that the shape does not have."""


class UnknownOperation(AwsError):
    """protocol: which of the service's protocols the client spoke, for the error's own form."""

    code = "UnknownOperationException"

    def __init__(self, message: str = "", /, *, protocol: str) -> None:
        super().__init__(message)
        self.protocol = protocol


class UnknownRoute(UnknownOperation):
    """No operation of a REST service has this method and path."""

    status = 404


class InvalidAction(UnknownOperation):
    code = "InvalidAction"


class MissingAction(UnknownOperation):
    code = "MissingAction"


class MethodNotAllowed(UnknownOperation):
    code = "MethodNotAllowed"
    status = 405


class SerializationException(AwsError):
    code: ClassVar[str] = "SerializationException"


class MalformedInput(SerializationException):
    code = "MalformedInput"


class MalformedXML(SerializationException):
    code = "MalformedXML"


class BadRequestBody(SerializationException):
    code = "BadRequestException"


class InvalidParameterException(AwsError):
    """How CloudWatch Logs names a broken constraint."""

    code = "InvalidParameterException"


class InvalidRequestException(AwsError):
    """How X-Ray names a broken constraint."""

    code = "InvalidRequestException"


class BadRequestException(AwsError):
    """How API Gateway and SES v2 name a broken constraint."""

    code = "BadRequestException"


class MissingParameter(AwsError):
    """How SQS names a missing parameter."""

    code = "MissingParameter"


class InvalidRequest(AwsError):
    """How S3 names a missing parameter."""

    code = "InvalidRequest"
