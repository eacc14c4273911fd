"""Deep merging of configuration: objects key by key, lists index by index, anything else replaced."""

from pileus.service.tree import Json, copy


def merge(base: Json, other: Json) -> Json:
    """`other` laid over `base`, as one new value; neither is changed."""
    if isinstance(base, dict) and isinstance(other, dict):
        merged = {key: copy(value) for key, value in base.items()}
        for key, value in other.items():
            merged[key] = merge(merged[key], value) if key in merged else copy(value)
        return merged
    if isinstance(base, list) and isinstance(other, list):
        both = min(len(base), len(other))
        longer = base if len(base) > len(other) else other
        return [merge(base[i], other[i]) for i in range(both)] + [copy(item) for item in longer[both:]]
    return copy(other)
