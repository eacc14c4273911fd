"""The one source of identifiers. A seed makes them repeat, for tests that compare."""

from __future__ import annotations

import os
import random
import string

_LOWER = string.ascii_lowercase + string.digits
_UPPER = string.ascii_uppercase + string.digits
_MIXED = string.ascii_letters + string.digits
#: The first digit of a UUID's fourth group, whose upper bits are 10.
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class Ids:
    """Random identifiers in the shapes that AWS uses."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(os.urandom(32) if seed is None else seed)
        self.seeded = seed is not None

    def uuid(self) -> str:
        """A version 4 UUID, for example a request id."""
        text = f"{self._random.getrandbits(128):032x}"
        variant = _VARIANTS[text[16]]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"

    def hex(self, length: int) -> str:
        return f"{self._random.getrandbits(length * 4):0{length}x}"

    def lower(self, length: int) -> str:
        """Lower-case letters and digits, as API ids have them."""
        return "".join(self._random.choices(_LOWER, k=length))

    def upper(self, length: int) -> str:
        """Upper-case letters and digits, as generated physical names and key ids have them."""
        return "".join(self._random.choices(_UPPER, k=length))

    def mixed(self, length: int) -> str:
        return "".join(self._random.choices(_MIXED, k=length))

    def bytes(self, length: int) -> bytes:
        return self._random.randbytes(length)

    def secret(self, length: int) -> str:
        """Characters of a secret access key: from the operating system unless seeded."""
        alphabet = _MIXED + "+/"
        if self.seeded:
            return "".join(self._random.choices(alphabet, k=length))
        return "".join(alphabet[b % 64] for b in os.urandom(length))

    def sequence(self) -> int:
        return self._random.getrandbits(63)
