"""Errors of CloudWatch.

AwsError
  InvalidParameterValue, InvalidParameterCombination, MissingParameter, InvalidNextToken
  ValidationError (the kernel's)   what GetMetricData says
"""

from __future__ import annotations

from ...kernel import AwsError


class InvalidParameterValue(AwsError):
    code = "InvalidParameterValue"


class InvalidParameterCombination(AwsError):
    code = "InvalidParameterCombination"


class MissingParameter(AwsError):
    code = "MissingParameter"


class InvalidNextToken(AwsError):
    code = "InvalidNextToken"
