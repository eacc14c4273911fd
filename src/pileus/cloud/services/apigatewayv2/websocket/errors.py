"""What the API that sends to clients answers with.

AwsError
  GoneException
  LimitExceededException
  PayloadTooLargeException
"""

from __future__ import annotations

from pileus.cloud.kernel import AwsError


class GoneException(AwsError):
    code = "GoneException"
    status = 410


class LimitExceededException(AwsError):
    code = "LimitExceededException"
    status = 429


class PayloadTooLargeException(AwsError):
    code = "PayloadTooLargeException"
    status = 413
