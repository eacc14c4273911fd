"""Errors of the Parameter Store.

AwsError
  ParameterNotFound, ParameterVersionNotFound, ParameterAlreadyExists
  HierarchyLevelLimitExceededException, ParameterPatternMismatchException, InvalidAllowedPatternException
  ParameterMaxVersionLimitExceeded, ParameterVersionLabelLimitExceeded
  InvalidFilterKey, InvalidFilterOption, InvalidFilterValue, InvalidNextToken
  InvalidResourceId, TooManyTagsError, AccessDeniedException
"""

from __future__ import annotations

from ...kernel import AwsError


class ParameterNotFound(AwsError):
    """AWS sends it without words."""

    code = "ParameterNotFound"


class ParameterVersionNotFound(AwsError):
    code = "ParameterVersionNotFound"


class ParameterAlreadyExists(AwsError):
    code = "ParameterAlreadyExists"


class HierarchyLevelLimitExceededException(AwsError):
    code = "HierarchyLevelLimitExceededException"


class ParameterPatternMismatchException(AwsError):
    code = "ParameterPatternMismatchException"


class InvalidAllowedPatternException(AwsError):
    code = "InvalidAllowedPatternException"


class ParameterMaxVersionLimitExceeded(AwsError):
    code = "ParameterMaxVersionLimitExceeded"


class ParameterVersionLabelLimitExceeded(AwsError):
    code = "ParameterVersionLabelLimitExceeded"


class InvalidFilterKey(AwsError):
    code = "InvalidFilterKey"


class InvalidFilterOption(AwsError):
    code = "InvalidFilterOption"


class InvalidFilterValue(AwsError):
    code = "InvalidFilterValue"


class InvalidNextToken(AwsError):
    code = "InvalidNextToken"


class InvalidResourceId(AwsError):
    code = "InvalidResourceId"


class TooManyTagsError(AwsError):
    code = "TooManyTagsError"


class AccessDeniedException(AwsError):
    code = "AccessDeniedException"
