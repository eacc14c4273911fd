"""Random passwords, as GetRandomPassword makes them."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any

from ...kernel import Ids
from .errors import InvalidParameterException

_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def random_password(ids: Ids, request: Mapping[str, Any]) -> str:
    """request: as GetRandomPassword takes it. Raises InvalidParameterException."""
    length = int(request.get("PasswordLength") or 32)
    if not 1 <= length <= 4096:
        raise InvalidParameterException("The password length must be between 1 and 4096.")
    excluded = set(request.get("ExcludeCharacters") or "")
    kinds = (
        ("ExcludeLowercase", string.ascii_lowercase),
        ("ExcludeUppercase", string.ascii_uppercase),
        ("ExcludeNumbers", string.digits),
        ("ExcludePunctuation", _PUNCTUATION),
    )
    alphabets = [
        "".join(character for character in characters if character not in excluded)
        for member, characters in kinds
        if not request.get(member)
    ]
    if request.get("IncludeSpace") and " " not in excluded:
        alphabets.append(" ")
    alphabets = [alphabet for alphabet in alphabets if alphabet]
    if not alphabets:
        raise InvalidParameterException("The password can't be generated: every character is excluded.")
    below = _picker(ids)
    characters = []
    if request.get("RequireEachIncludedType", True):
        if length < len(alphabets):
            raise InvalidParameterException("Password length too short based on the required types.")
        characters = [alphabet[below(len(alphabet))] for alphabet in alphabets]
    every = "".join(alphabets)
    characters += [every[below(len(every))] for _ in range(length - len(characters))]
    for last in range(length - 1, 0, -1):  # what each type gave must not stand in front
        other = below(last + 1)
        characters[last], characters[other] = characters[other], characters[last]
    return "".join(characters)


def _picker(ids: Ids) -> Callable[[int], int]:
    """Numbers below a limit: from the operating system, unless the ids are seeded to repeat."""
    if ids.seeded:
        return lambda limit: int(ids.hex(16), 16) % limit
    return secrets.randbelow
