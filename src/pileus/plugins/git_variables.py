"""serverless-plugin-git-variables: facts of the repository as environment variables and tags of each function.

The variables ${git:…} themselves belong to every service (pileus.service.variables.git).
"""

from __future__ import annotations

from ..service import ConfigErrors
from ..service.extensions import Configuration, Purpose
from ..service.tree import Json
from ..service.variables import git
from ..service.variables.source import VariableError
from .hookspecs import hookimpl

_VARIABLES = {
    "GIT_COMMIT_SHORT": "sha1",
    "GIT_COMMIT_LONG": "commit",
    "GIT_BRANCH": "branch",
    "GIT_IS_DIRTY": "isDirty",
    "GIT_REPOSITORY": "repository",
    "GIT_TAGS": "tags",
}


@hookimpl
def schema() -> dict[str, Json]:
    names = {"type": "array", "items": {"type": "string"}}
    return {
        "custom": {
            "exportGitVariables": {"type": "boolean"},
            "gitVariablesEnvWhitelist": names,
            "gitVariablesTagsWhitelist": names,
        }
    }


@hookimpl
def configure(configuration: Configuration, purpose: Purpose) -> None:
    functions = configuration.get("functions") or {}
    if purpose == "print" or not functions or configuration.get("custom", "exportGitVariables") is False:
        return
    try:
        values = {
            name: git.answer(fact, configuration.directory, configuration.environ)
            for name, fact in _VARIABLES.items()
        }
    except VariableError as error:
        hint = "set 'exportGitVariables: false' under 'custom' where there is no repository"
        raise ConfigErrors([configuration.mistake(error.message, ("plugins",), hint)]) from error
    wanted = {
        "environment": configuration.get("custom", "gitVariablesEnvWhitelist"),
        "tags": configuration.get("custom", "gitVariablesTagsWhitelist"),
    }
    for function in functions.values():
        for place, names in wanted.items():
            own = function.get(place) or {}
            if isinstance(own, dict):
                added = {name: value for name, value in values.items() if names is None or name in names}
                function[place] = {**own, **{name: value for name, value in added.items() if name not in own}}
