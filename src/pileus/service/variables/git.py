"""`${git:branch}` and its like, as serverless-plugin-git-variables has them: facts of the repository around the service.

Asked from the git executable, by lists of arguments and never through a shell. Values are texts, `isDirty` too.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePath

from pileus.service.errors import did_you_mean
from pileus.service.tree import Json
from pileus.service.variables.source import Found, Request, Scope, VariableError

_SHORT = ("rev-parse", "--short", "HEAD")
_TAGS = ("tag", "--points-at", "HEAD")
_ASKED: dict[str, tuple[str, ...]] = {
    "branch": ("rev-parse", "--abbrev-ref", "HEAD"),
    "commit": ("rev-parse", "HEAD"),
    "describe": ("describe", "--always"),
    "describeLight": ("describe", "--always", "--tags"),
    "email": ("config", "user.email"),
    "isDirty": ("diff", "--stat"),
    "message": ("log", "-1", "--pretty=%B"),
    "messageBody": ("log", "-1", "--pretty=%b"),
    "messageSubject": ("log", "-1", "--pretty=%s"),
    "repository": ("rev-parse", "--show-toplevel"),
    "sha1": _SHORT,
    "tag": _TAGS,
    "tags": _TAGS,
    "user": ("config", "user.name"),
}
_SECONDS = 10


def resolve(request: Request, scope: Scope) -> Json | Found:
    return answer(request.address or "", scope.directory, scope.environ)


def answer(name: str, directory: Path, environ: Mapping[str, str]) -> str:
    """One fact, by its name after `git:`. Raises VariableError where there is no answer."""
    if name not in _ASKED:
        hint = did_you_mean(name, _ASKED) or f"there are {', '.join(f'git:{known}' for known in _ASKED)}"
        raise VariableError(f"${{git:{name}}} does not exist", hint)
    said = _git(_ASKED[name], name, directory, environ)
    if name == "isDirty":
        return "true" if said else "false"
    if name == "repository":
        return PurePath(said).name
    if name in ("tag", "tags"):
        tags = said.splitlines()
        # A commit without tags goes by its name.
        return (
            (tags[0] if name == "tag" else "::".join(tags))
            if tags
            else _git(_SHORT, name, directory, environ)
        )
    return said


def _git(arguments: tuple[str, ...], name: str, directory: Path, environ: Mapping[str, str]) -> str:
    text = f"${{git:{name}}}"
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=directory,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
        )
    except FileNotFoundError as error:
        raise VariableError(f"{text} needs git, and there is none on the PATH") from error
    except subprocess.TimeoutExpired as error:
        raise VariableError(f"git did not answer {text} within {_SECONDS} seconds") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        what = said[0] if said else f"'git {' '.join(arguments)}' found nothing"
        raise VariableError(f"git has no answer to {text}: {what}")
    return done.stdout.decode("utf-8", "replace").strip()
