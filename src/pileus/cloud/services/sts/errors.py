"""Errors of STS."""

from __future__ import annotations

from ...kernel import AwsError


class AccessDenied(AwsError):
    code = "AccessDenied"
    status = 403


class MalformedPolicyDocument(AwsError):
    code = "MalformedPolicyDocument"
