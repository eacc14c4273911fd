"""requirements.txt as pip documents it, as far as packaging must understand it: which lines, from which file.

uv resolves the lines. They are read here to find the files that the result depends on, to install what a `-e`
names rather than link to it, to leave out what `noDeploy` names, and to point at the line when something is wrong.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath

from pileus.package.python.settings import normalised
from pileus.service.errors import ConfigError
from pileus.service.marks import Mark

_COMMENT = re.compile(r"(^|\s+)#.*$")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_OPTION = re.compile(r"(-[a-zA-Z]|--[a-z-]+)(?:\s+|=|(?<=^-[a-zA-Z]))?(.*)", re.DOTALL)
_DIRECT = re.compile(r"[A-Za-z0-9._-]+(\[[^\]]*\])?\s*@\s*(?P<url>\S+)")
_VCS = ("git+", "hg+", "svn+", "bzr+")
_INCLUDES = ("-r", "--requirement")
_CONSTRAINTS = ("-c", "--constraint")
_EDITABLE = ("-e", "--editable")
_PLACES = ("-f", "--find-links", "-i", "--index-url", "--extra-index-url")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One logical line, as it is handed on: paths are absolute, `-e` is gone.

    `name` is normalised, "" where only building tells; `local` is the folder or file that it names; `option` tells
    lines for the whole file, such as `--index-url`.
    """

    text: str
    mark: Mark
    name: str = ""
    local: FilePath | None = None
    option: bool = False
    #: What of a repository is asked for: a commit, a branch, `HEAD`; "" for what is in none.
    revision: str = ""


def read_requirements(file: FilePath) -> tuple[Requirement, ...]:
    """The lines of a file and of those that it includes, in order. Raises ConfigError."""
    return tuple(_read(file, None, ()))


def _read(file: FilePath, included: Mark | None, outer: tuple[FilePath, ...]) -> Iterator[Requirement]:
    file = file.resolve()
    if file in outer:
        raise ConfigError(f"{file.name} includes itself", mark=included)
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {file}: {_reason(error)}", mark=included) from None
    for number, line in _logical_lines(text):
        mark = Mark(file, number, 1)
        if not line.startswith("-"):
            yield _requirement(line, file, mark)
            continue
        match = _OPTION.fullmatch(line)
        name, value = (match[1], match[2].strip()) if match else (line, "")
        if name in _INCLUDES:
            if "://" in value:
                raise ConfigError(f"cannot include {value}: only files are included", mark=mark)
            yield from _read(file.parent / value, mark, (*outer, file))
        elif name in _CONSTRAINTS:
            yield _constraint(value, file, mark)
        elif name in _EDITABLE:
            yield _requirement(value, file, mark)
        elif name in _PLACES and value and "://" not in value and (file.parent / value).exists():
            yield Requirement(f"{name} {(file.parent / value).resolve()}", mark, option=True)
        else:
            yield Requirement(line, mark, option=True)


def _constraint(value: str, file: FilePath, mark: Mark) -> Requirement:
    path = (file.parent / value).resolve()
    if "://" not in value and not path.is_file():
        raise ConfigError(f"cannot read {path}: no such file", mark=mark)
    if "://" in value:
        return Requirement(f"-c {value}", mark, option=True)
    return Requirement(f"-c {path}", mark, option=True, local=path)


def _requirement(line: str, file: FilePath, mark: Mark) -> Requirement:
    direct = _DIRECT.match(line)
    url = direct["url"] if direct else line
    if url.startswith(_VCS):
        name = _NAME.match(line) if direct else re.search(r"[#&]egg=([A-Za-z0-9._-]+)", line)
        found = (name[1] if name.lastindex else name[0]) if name else ""
        text = f"{found} @ {line}" if found and not direct else line
        return Requirement(text, mark, normalised(found), revision=_revision(url))
    local = _local(url, file)
    if local is not None:
        path, rest = local
        name = _NAME.match(line) if direct else None
        return Requirement(f"{path}{rest}", mark, normalised(name[0]) if name else "", local=path)
    name = _NAME.match(line)
    return Requirement(line, mark, normalised(name[0]) if name and "://" not in line.split()[0] else "")


def _revision(url: str) -> str:
    path = url.partition("#")[0].partition("://")[2].partition("/")[2]
    return path.partition("@")[2] or "HEAD"


def _local(text: str, file: FilePath) -> tuple[FilePath, str] | None:
    """The path that a line starts with and what follows it (extras, markers, options); None where it is no path."""
    match = re.match(r"(?:file:(?://)?)?(?P<path>[^\s;\[]+)(?P<rest>.*)", text, re.DOTALL)
    if match is None or ("://" in match["path"]):
        return None
    said = match["path"]
    looks = (
        text.startswith("file:")
        or said.startswith((".", "/", "~"))
        or "/" in said
        or said.endswith((".whl", ".tar.gz", ".zip"))
    )
    if not looks:
        return None
    path = (file.parent / FilePath(said).expanduser()).resolve()
    if not path.exists():
        path = FilePath(said).resolve() if FilePath(said).exists() else path
    return path, match["rest"]


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """(number of its first line, content) without comments, `\\` at the end joining lines."""
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start or number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            joined += line[:-1]
            continue
        content = _COMMENT.sub("", joined + line).strip()
        if content:
            yield start, content
        joined, start = "", 0
    content = _COMMENT.sub("", joined).strip()
    if content:
        yield start, content


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else (error.strerror or str(error))
