"""What a variable source is given and what it gives back.

A source is a module with `resolve(request, scope) -> Json | Found`; MISSING or None means "no value here", and
the next fallback is asked. A mistake that no fallback should hide is a VariableError.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import NamedTuple, Protocol

from pileus.service.document import Document
from pileus.service.marks import Marks
from pileus.service.tree import Json


class VariableError(Exception):
    """What is wrong with one variable; `hint` is the remedy."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Place(NamedTuple):
    """Where a cloud is asked: a region, and as whom: a profile (None: what the environment gives)."""

    region: str
    profile: str | None
    environ: Mapping[str, str]


class RemoteResolver(Protocol):
    """Answers for the sources that ask a cloud: AWS itself, or the embedded one. None: there is no such value.

    Raises VariableError when the cloud refuses or cannot be asked.
    """

    #: Whether it may be asked from several threads at once; many questions are then asked together.
    parallel: bool

    def account_id(self, where: Place) -> str: ...

    def stack_output(self, stack: str, output: str, where: Place) -> str | None: ...

    def parameter(self, name: str, where: Place, *, decrypt: bool) -> tuple[str, str] | None:
        """The parameter's type (String, SecureString, StringList) and value."""

    def object_text(self, bucket: str, key: str, where: Place) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """One source of one variable with its params and address resolved to text."""

    type: str
    params: tuple[str, ...]
    address: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """A value that knows where it was written.

    One with an `origin`, a file and the address in it, may hold variables still: they are resolved in the place that
    the value takes, so that a file can refer to its neighbours there with `${self:}`.
    """

    value: Json
    marks: Marks | None = None
    origin: tuple[FilePath, tuple[str, ...]] | None = None


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
    #: The value at an address of a parsed file, with the variables that are on the way to it resolved.
    inside: Callable[[Document, tuple[str, ...]], Found]
    #: Notes that a file was read (also one that is not there), for reload.
    note: Callable[[FilePath], None]
    #: What a program (JavaScript, TypeScript, Python) exports at an address.
    export: Callable[[FilePath, tuple[str, ...]], Json]
    #: Milliseconds since 1970 that name this run.
    instance: str

    def stage(self) -> str:
        """--stage, or `provider.stage` as written, or `dev`."""
        if option := self.options.get("stage"):
            return option
        written = self.own(("provider", "stage")).value
        return written if isinstance(written, str) and written else "dev"

    def region(self) -> str:
        """--region, `provider.region`, us-east-1: the first that is given. AWS_REGION has no say, as in v3."""
        if option := self.options.get("region"):
            return option
        written = self.own(("provider", "region")).value
        return written if isinstance(written, str) and written else "us-east-1"

    def place(self, region: str | None = None) -> Place:
        """Where to ask: in `region` or the service's own, as --aws-profile or `provider.profile`."""
        profile = self.options.get("aws-profile") or self.own(("provider", "profile")).value
        known = profile if isinstance(profile, str) and profile else None
        return Place(region or self.region(), known, self.environ)

    def need_remote(self, request: Request) -> RemoteResolver:
        if self.remote is None:
            raise VariableError(
                f"{request.text} asks a cloud, and none can be asked here",
                "give a fallback, as in ${" + request.type + ":..., 'value'}",
            )
        return self.remote
