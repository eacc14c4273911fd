"""Which error shape an `AwsError` is, and what its members are called; the protocols only wrap it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pileus.cloud.kernel.errors import AwsError
from pileus.cloud.protocol.model import Model
from pileus.cloud.protocol.quirks import CORAL, FRAMEWORK_ERRORS, Quirks
from pileus.cloud.protocol.tree import TreeWriter


class Faults:
    """The error shapes of one service, found by the shape's name and by the code on the wire."""

    def __init__(self, model: Model, quirks: Quirks) -> None:
        self._shapes = model.shapes
        self._quirks = quirks
        self._names: dict[str, str] = {}
        self._codes: dict[str, str] = {}
        for name, shape in model.shapes.items():
            if shape.get("exception"):
                code = quirks.query_errors.get(name) or shape.get("error", {}).get("code") or name
                self._codes[name] = code
                self._names.setdefault(code, name)
        for name in self._codes:
            self._names[name] = name

    def shape(self, error: AwsError) -> str | None:
        """The name of the error's shape; None when the model has none (AWS's framework errors)."""
        return self._names.get(error.code)

    def code(self, error: AwsError) -> str:
        """The code of the query and XML protocols."""
        name = self.shape(error)
        return self._codes[name] if name else error.code

    def type(self, error: AwsError) -> str:
        """`__type` of the JSON and CBOR protocols."""
        name = self.shape(error)
        if name:
            return self._quirks.error_namespace + name
        if not self._quirks.error_namespace:
            return error.code
        return FRAMEWORK_ERRORS.get(error.code, self._quirks.error_namespace) + error.code

    def members(self, error: AwsError) -> dict[str, Any]:
        """The error's members with their modelled names, the message among them."""
        name = self.shape(error)
        members: dict[str, Any] = {key: value for key, value in error.members.items() if value is not None}
        if name is None:
            if error.message:
                is_framework = FRAMEWORK_ERRORS.get(error.code) == CORAL
                members.setdefault("Message" if is_framework else "message", error.message)
            return members
        modelled: Mapping[str, Any] = self._shapes[name]["members"]
        for key, by_fault in self._quirks.error_defaults.items():
            if key in modelled:
                members.setdefault(key, by_fault[0 if error.is_sender_fault else 1])
        message = next((key for key in modelled if key.lower() == "message"), None)
        if message is not None or error.message:
            members.setdefault(message or "message", error.message)
        return members

    def tree(self, writer: TreeWriter, error: AwsError) -> dict[str, Any]:
        """The members as they stand in a JSON or CBOR body; a message also where the shape has none."""
        name = self.shape(error)
        members = self.members(error)
        if name is None:
            return members
        modelled: Mapping[str, Any] = self._shapes[name]["members"]
        inside = frozenset(key for key, ref in modelled.items() if "location" not in ref)
        message = {} if "message" in modelled else {"message": members.pop("message", None)}
        tree: dict[str, Any] = writer.structure(name, inside)(members)
        return tree | {key: value for key, value in message.items() if value}
