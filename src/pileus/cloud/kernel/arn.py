"""Amazon Resource Names: `arn:partition:service:region:account:resource`."""

from __future__ import annotations

from typing import NamedTuple


class Arn(NamedTuple):
    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Raises ValueError when `text` is not an ARN."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[2]:
            raise ValueError(f"not an ARN: {text}")
        return cls(*parts[1:])

    @property
    def name(self) -> str:
        """The resource without its type: `function:x` → `x`, `table/x` → `x`, `x` → `x`."""
        tail = self.resource.rsplit("/", 1)[-1]
        return tail.rsplit(":", 1)[-1]

    def __str__(self) -> str:
        return ":".join(("arn", *self))
