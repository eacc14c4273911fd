"""Outputs of a stack, and what of them others may import."""

from __future__ import annotations

from typing import Any

from ...kernel import ValidationError
from .errors import TemplateError
from .intrinsics import Evaluator
from .parameters import text
from .stack import Stack, Stacks


def publish_outputs(stacks: Stacks, stack: Stack, evaluator: Evaluator, imports: set[str]) -> None:
    """Evaluates the outputs into `stack.detail` and brings the exports in line. Raises TemplateError."""
    outputs: list[dict[str, Any]] = []
    for key, output in evaluator.template.outputs.items():
        if output.condition is not None and not evaluator.condition(output.condition):
            continue
        value = evaluator.value(output.value)
        if isinstance(value, (dict, list)) or value is None:
            raise TemplateError(
                f"Template format error: Output {key} is malformed. The Value field of every Outputs member must"
                " evaluate to a String"
            )
        found = {"OutputKey": key, "OutputValue": text(value), "Description": output.description}
        if output.export is not None:
            found["ExportName"] = text(evaluator.value(output.export))
        outputs.append(found)
    _export(
        stacks, stack, {item["ExportName"]: item["OutputValue"] for item in outputs if "ExportName" in item}
    )
    _keep_imports(stacks, stack, imports)
    stack.detail["outputs"] = outputs


def _export(stacks: Stacks, stack: Stack, wanted: dict[str, str]) -> None:
    store = stacks.store
    held = {
        row["name"]: row["value"]
        for row in store.all("SELECT name,value FROM cfn_export WHERE stack=?", (stack.id,))
    }
    for name, value in held.items():
        if wanted.get(name) != value:
            verb = "updated" if name in wanted else "deleted"
            users = importers(stacks, stack, name)
            if users:
                raise TemplateError(
                    f"Export {name} cannot be {verb} as it is in use by {' and '.join(users)}"
                )
            store.execute(
                "DELETE FROM cfn_export WHERE account=? AND region=? AND name=?",
                (stack.account, stack.region, name),
            )
    for name, value in wanted.items():
        if held.get(name) == value:
            continue
        other = store.one(
            "SELECT stack FROM cfn_export WHERE account=? AND region=? AND name=?",
            (stack.account, stack.region, name),
        )
        if other is not None:
            raise TemplateError(
                f"Export with name {name} is already exported by stack {stack_name(other['stack'])}"
            )
        store.execute(
            "INSERT INTO cfn_export (account,region,name,stack,value) VALUES (?,?,?,?,?)",
            (stack.account, stack.region, name, stack.id, value),
        )


def _keep_imports(stacks: Stacks, stack: Stack, kept: set[str]) -> None:
    """What the template does not import any more is free."""
    for row in stacks.store.all("SELECT name FROM cfn_import WHERE stack=?", (stack.id,)):
        if row["name"] not in kept:
            stacks.store.execute(
                "DELETE FROM cfn_import WHERE account=? AND region=? AND name=? AND stack=?",
                (stack.account, stack.region, row["name"], stack.id),
            )


def importers(stacks: Stacks, stack: Stack, name: str) -> list[str]:
    """Names of the stacks that import an export."""
    rows = stacks.store.all(
        "SELECT stack FROM cfn_import WHERE account=? AND region=? AND name=? ORDER BY stack",
        (stack.account, stack.region, name),
    )
    return [stack_name(row["stack"]) for row in rows]


def refuse_exports_in_use(stacks: Stacks, stack: Stack) -> None:
    """Before a stack is deleted. Raises ValidationError."""
    for row in stacks.store.all("SELECT name FROM cfn_export WHERE stack=? ORDER BY name", (stack.id,)):
        users = [name for name in importers(stacks, stack, row["name"]) if name != stack.name]
        if users:
            raise ValidationError(
                f"Export {row['name']} cannot be deleted as it is in use by {' and '.join(users)}"
            )


def withdraw_exports(stacks: Stacks, stack: Stack) -> None:
    stacks.store.execute("DELETE FROM cfn_export WHERE stack=?", (stack.id,))
    stacks.store.execute("DELETE FROM cfn_import WHERE stack=?", (stack.id,))


def stack_name(stack_id: str) -> str:
    return stack_id.split("/")[1]
