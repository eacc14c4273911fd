"""Says of a variable without a value what exactly is not there, and what may have been meant."""

from difflib import get_close_matches
from pathlib import Path as FilePath

from pileus.service.tree import MISSING, Json, child
from pileus.service.variables.source import Request
from pileus.service.variables.syntax import Variable


def missing(
    variable: Variable, asked: Request | None, config: Json, directory: FilePath
) -> tuple[str, str | None]:
    """The message and the hint. `asked` is the last source that was asked, its address resolved."""
    hint = _defaulted(variable) or f"give a fallback: {variable.text[:-1]}, 'value'}}"
    if len(variable.sources) > 1 or asked is None:
        return f"none of the sources of {variable.text} has a value", hint
    address = asked.address or ""
    if asked.type == "self":
        return f"the configuration has no '{address}'", _closest(address, config) or hint
    if asked.type == "env":
        return f"the environment variable {address} is not set", hint
    if asked.type == "opt":
        return f"the option --{address} is not given", hint
    if asked.type == "param":
        return f"the parameter '{address}' is given neither with --param nor under 'params'", hint
    if asked.type == "file" and asked.params:
        name = asked.params[0]
        if not (directory / FilePath(name).expanduser()).exists():
            return f"there is no file {name}", _beside(directory / name) or hint
        return f"{name} has no '{address}'" if address else f"{name} gives no value", hint
    return f"{variable.text} has no value", hint


def _defaulted(variable: Variable) -> str | None:
    """What to write instead of a setting whose default counts only after the variables are resolved."""
    for setting, instead in (("stage", "${sls:stage}"), ("region", "${aws:region}")):
        if f"self:provider.{setting}" in variable.text:
            return f"write {instead}, or '{setting}:' under provider"
    return None


def _beside(file: FilePath) -> str | None:
    """The file of a similar name in the same folder."""
    try:
        names = [found.name for found in file.parent.iterdir()]
    except OSError:
        return None
    close = get_close_matches(file.name, names, n=1, cutoff=0.7)
    return f"did you mean '{close[0]}'?" if close else None


def _closest(address: str, config: Json) -> str | None:
    """The address next to the one that does not exist, when a part of it is misspelt."""
    parts = address.split(".")
    for position, part in enumerate(parts):
        inner = child(config, part)
        if inner is MISSING:
            if not isinstance(config, dict):
                return None
            names = {key.lower(): key for key in config}
            close = get_close_matches(part.lower(), list(names), n=1, cutoff=0.7)
            if not close:
                return None
            return f"did you mean '{'.'.join([*parts[:position], names[close[0]], *parts[position + 1 :]])}'?"
        config = inner
    return None
