"""Errors of X-Ray.

AwsError
  InvalidRequest
"""

from __future__ import annotations

from ...kernel import AwsError


class InvalidRequest(AwsError):
    code = "InvalidRequestException"
