"""Values for botocore shapes, made from nothing but the model: the same ones every time."""

from __future__ import annotations

import datetime
from typing import Any

TEXT = 'a/b c%&<é"+?=~'
MOMENT = datetime.datetime(2024, 2, 29, 23, 59, 58, tzinfo=datetime.UTC)


class Maker:
    """members: `all` of a structure's members, or only the `required` ones."""

    def __init__(self, members: str) -> None:
        self.members = members
        self.open: list[str] = []

    def value(self, shape: Any, place: str = "body") -> Any:
        make = getattr(self, f"_{shape.type_name}", None)
        if make is None:
            return self._string(shape, place)
        return make(shape, place)

    def _structure(self, shape: Any, place: str) -> dict[str, Any]:
        self.open.append(shape.name)
        try:
            names = [n for n, m in shape.members.items() if m.name not in self.open and self._ends(m)]
            if shape.metadata.get("union") or getattr(shape, "is_tagged_union", False):
                names = names[:1]
            elif self.members == "required":
                labels = {n for n, m in shape.members.items() if m.serialization.get("location") == "uri"}
                needed = [n for n in names if n in shape.required_members or n in labels]
                names = needed if needed or len(self.open) == 1 else names[:1]
            return {n: self.value(shape.members[n], self._place(shape.members[n], place)) for n in names}
        finally:
            self.open.pop()

    def _ends(self, shape: Any) -> bool:
        """Lists and maps of a shape that is being made would never end."""
        if shape.type_name == "list":
            return shape.member.name not in self.open and self._ends(shape.member)
        if shape.type_name == "map":
            return shape.value.name not in self.open and self._ends(shape.value)
        return True

    @staticmethod
    def _place(shape: Any, place: str) -> str:
        where = shape.serialization.get("location")
        return "header" if where in ("header", "headers") else where or place

    def _list(self, shape: Any, place: str) -> list[Any]:
        low = shape.metadata.get("min", 0)
        return [
            self.value(shape.member, place) for _ in range(max(low, min(2, shape.metadata.get("max", 2))))
        ]

    def _map(self, shape: Any, place: str) -> dict[str, Any]:
        key = self.value(shape.key, "header" if place == "header" else place)
        key = key.lower() if place == "header" else key
        more = [f"{index}{key}"[: len(key)] for index in range(1, shape.metadata.get("min", 0))]
        return {each: self.value(shape.value, place) for each in (key, *more)}

    def _string(self, shape: Any, place: str) -> str:
        if shape.enum:
            return str(shape.enum[-1])
        text = "abc-def" if place == "header" else TEXT
        if place == "uri":
            text = TEXT.replace("?", "")
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 1 << 20)
        while len(text) < low:
            text += "x"
        return text[: min(high, max(low, len(text)))].strip()

    _character = _string

    def _integer(self, shape: Any, place: str) -> int:
        low = shape.metadata.get("min")
        return int(low if low is not None else min(7, shape.metadata.get("max", 7)))

    def _long(self, shape: Any, place: str) -> int:
        high = shape.metadata.get("max")
        return int(high if high is not None else 9_007_199_254_740_993)

    def _float(self, shape: Any, place: str) -> float:
        return float(min(shape.metadata.get("max", 0.5), max(0.5, shape.metadata.get("min", 0.5))))

    _double = _float

    def _boolean(self, shape: Any, place: str) -> bool:
        return True

    def _blob(self, shape: Any, place: str) -> bytes:
        low = shape.metadata.get("min", 0)
        return b"\x01ab" + b"c" * max(0, low - 3)

    def _timestamp(self, shape: Any, place: str) -> datetime.datetime:
        return MOMENT


def plain(value: Any) -> Any:
    """With timestamps as Pileus has them: seconds."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
