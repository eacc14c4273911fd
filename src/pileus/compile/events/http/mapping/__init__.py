"""The request templates of `integration: lambda`: what API Gateway makes of a request before the function sees it.

The function's event is written by these templates, so their text is part of the contract with handlers and with
APIs that are deployed: it stands in the .vtl files beside this one exactly as v3 deploys it.
"""

from functools import cache
from importlib.resources import files

_BODIES = {"application/json": "json_body.vtl", "application/x-www-form-urlencoded": "form_body.vtl"}


def default_templates(claims: list[str]) -> dict[str, str]:
    """Content type → template. `claims` of the caller's token are passed on under their own names."""
    passed = "".join(f"{_claim(name)}," for name in claims)
    event = f"{_text('event_start.vtl')}{passed}{_text('event_end.vtl')}"
    return {content_type: f"{_text(body)}{event}" for content_type, body in _BODIES.items()}


def _claim(name: str) -> str:
    _, colon, short = name.partition(":")
    if colon:
        return f'"{short}": "$context.authorizer.claims[\'{name}\']"'
    return f'"{name}": "$context.authorizer.claims.{name}"'


@cache
def _text(file: str) -> str:
    return (files(__package__) / file).read_text("utf-8")
