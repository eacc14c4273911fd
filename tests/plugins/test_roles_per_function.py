"""Mistakes that serverless-iam-roles-per-function refuses; its templates are in test_observed_plugins."""

from typing import Any

import pytest

from pileus.compile import Artifacts, compile_service
from pileus.service import ConfigErrors

HEAD = "service: shop\nplugins: [serverless-iam-roles-per-function]\nprovider: {name: aws, runtime: python3.12}\n"


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("{handler: h.h, role: 'arn:aws:iam::123456789012:role/x', iamRoleStatements: []}", "has both 'role' and"),
        ("{handler: h.h, iamRoleStatements: [{Effect: Allow, Action: x}]}", "has no Resource or NotResource"),
        ("{handler: h.h, iamRoleStatements: x}", "has no Effect, no Action or NotAction, no Resource"),
        (f"{{handler: h.h, name: x, iamRoleStatements: []}}\n  {'a' * 60}: {{handler: h.h, name: y, iamRoleStatements: []}}",
         "would have more than 64 characters"),
    ],
)  # fmt: skip
def test_mistakes(load: Any, function: str, words: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        load(f"{HEAD}functions:\n  one: {function}\n")
    assert words in raised.value.render()


def test_a_name_of_its_own_may_be_any(load: Any) -> None:
    key = "a" * 60
    load(
        f"{HEAD}functions:\n  {key}: {{handler: h.h, name: y, iamRoleStatements: [], iamRoleStatementsName: mine}}\n"
    )


def test_a_function_without_logs_gets_a_role_too(load: Any) -> None:
    loaded = load(f"{HEAD}functions:\n  one: {{handler: h.h, disableLogs: true, iamRoleStatements: []}}\n")
    template = compile_service(loaded.service, Artifacts.synthetic(loaded.service, 0)).update_stack
    assert template["Resources"]["OneLambdaFunction"]["DependsOn"] == ["OneIamRoleLambdaExecution"]
