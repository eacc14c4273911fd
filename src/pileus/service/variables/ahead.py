"""Asks a cloud for many values at once, before the configuration is walked one value after the other.

Only what is certain to be asked is asked ahead: the first source of a variable, written out without variables in it.
"""

from collections.abc import Iterator
from importlib import import_module

from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope, VariableError
from pileus.service.variables.syntax import Source, Template, Variable, VariableSyntaxError, parse

_REMOTE = frozenset(("aws", "cf", "ssm", "s3"))
_THREADS = 8

#: What came of a question: a value, or why there is none.
Outcome = Json | Found | VariableError


def questions(config: Json) -> list[Request]:
    """The questions to a cloud that stand in a configuration."""
    found: dict[Request, None] = {}
    stack = [config]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
        elif isinstance(value, str) and "${" in value:
            found.update(dict.fromkeys(_in_text(value)))
    return list(found)


def ask(requests: list[Request], scope: Scope) -> dict[Request, Outcome]:
    """The outcomes of all requests, asked at the same time."""
    from concurrent.futures import ThreadPoolExecutor  # most configurations ask nothing

    with ThreadPoolExecutor(min(_THREADS, len(requests))) as pool:
        return dict(zip(requests, pool.map(lambda request: _outcome(request, scope), requests), strict=True))


def _outcome(request: Request, scope: Scope) -> Outcome:
    source = import_module(f"pileus.service.variables.{request.type}")
    try:
        return source.resolve(request, scope)
    except VariableError as error:
        return error


def _in_text(text: str) -> Iterator[Request]:
    try:
        template = parse(text)
    except VariableSyntaxError:
        return  # told when the text's turn comes
    for part in template:
        if isinstance(part, Variable):
            source = part.sources[0]
            if isinstance(source, Source) and source.type in _REMOTE and (request := _request(source, part)):
                yield request


def _request(source: Source, variable: Variable) -> Request | None:
    params = [_literal(param) for param in source.params or ()]
    address = None if source.address is None else _literal(source.address)
    if any(param is None for param in params) or (address is None) != (source.address is None):
        return None
    if source.type == "aws" and address != "accountId":
        return None
    return Request(source.type, tuple(param for param in params if param is not None), address, variable.text)


def _literal(template: Template) -> str | None:
    return template[0] if len(template) == 1 and isinstance(template[0], str) else None
