"""What a variable source is given and what it gives back.

A source is a module with `resolve(request, scope) -> Json | Found`; MISSING or None means "no value here", and
the next fallback is asked. A mistake that no fallback should hide is a VariableError.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Protocol

from pileus.service.document import Document
from pileus.service.marks import Marks
from pileus.service.tree import Json


class VariableError(Exception):
    """What is wrong with one variable; `hint` is the remedy."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class RemoteResolver(Protocol):
    """Answers for the sources that ask a cloud: AWS itself, or the embedded one. None: there is no such value."""

    def account_id(self) -> str: ...

    def stack_output(self, stack: str, output: str, region: str | None) -> str | None: ...

    def parameter(self, name: str, region: str | None, *, decrypt: bool) -> tuple[str, str] | None:
        """The parameter's type (String, SecureString, StringList) and value."""

    def object_text(self, bucket: str, key: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """One source of one variable with its params and address resolved to text."""

    type: str
    params: tuple[str, ...]
    address: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """A value that was resolved already and knows where it was written."""

    value: Json
    marks: Marks | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What sources may look at."""

    directory: FilePath
    options: Mapping[str, str]
    params: Mapping[str, str]
    environ: Mapping[str, str]
    remote: RemoteResolver | None
    #: The value at an address of the configuration, resolved: () is all of it.
    own: Callable[[tuple[str, ...]], Found]
    #: The value at an address of a parsed file, resolved.
    inside: Callable[[Document, tuple[str, ...]], Found]
    #: Notes that a file was read (also one that is not there), for reload.
    note: Callable[[FilePath], None]
    #: A variable given as `type(params):address`, resolved; for programs that configure.
    ask: Callable[[str], Json]
    #: Milliseconds since 1970 that name this run.
    instance: str

    def stage(self) -> str:
        """--stage, or `provider.stage` as written, or `dev`."""
        if option := self.options.get("stage"):
            return option
        written = self.own(("provider", "stage")).value
        return written if isinstance(written, str) and written else "dev"

    def need_remote(self, request: Request) -> RemoteResolver:
        if self.remote is None:
            raise VariableError(
                f"{request.text} asks a cloud, and none can be asked here",
                "give a fallback, as in ${" + request.type + ":..., 'value'}",
            )
        return self.remote
