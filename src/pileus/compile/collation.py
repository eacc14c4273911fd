"""Objects with their keys in the order of a dictionary (Unicode's root collation, as far as ASCII goes).

The framework orders them so before it computes digests.
"""

from pileus.service.tree import Json

_SIGNS = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789"
_RANKS = {sign: rank for rank, sign in enumerate(_SIGNS)}


def ordered(value: Json) -> Json:
    """`value` with the keys of every object in order, lists as they are."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value, key=_rank)}
    if isinstance(value, list):
        return [ordered(item) for item in value]
    return value


def _rank(key: str) -> tuple[list[int], list[bool]]:
    """Letters alike first; where two keys differ in case only, the lower case one comes first."""
    ranks = [_RANKS.get(sign, len(_SIGNS) + ord(sign.lower())) for sign in key]
    return ranks, [sign.isupper() for sign in key]
