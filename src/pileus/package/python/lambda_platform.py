"""The machine that a function runs on, as wheels and markers name it: Lambda's Linux, whatever this machine is.

AWS documents the operating system of each runtime: up to python3.7 Amazon Linux 1 (glibc 2.17), up to python3.11
Amazon Linux 2 (glibc 2.26), from python3.12 on Amazon Linux 2023 (glibc 2.34). A wheel built against a later glibc
installs and deploys, and fails on import.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.tags import Tag

_RUNTIME = re.compile(r"python(\d+)\.(\d+)")
#: glibc versions below 2.x had names of their own for the same tags.
_OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


@dataclass(frozen=True, slots=True)
class LambdaPlatform:
    """`python` is `3.12`, `architecture` as Lambda says it: `x86_64` or `arm64`."""

    python: str
    architecture: str = "x86_64"

    @classmethod
    def of(cls, runtime: object, architecture: object) -> LambdaPlatform | None:
        """The platform of a runtime such as `python3.12`; None for any other language."""
        match = _RUNTIME.fullmatch(runtime) if isinstance(runtime, str) else None
        if match is None:
            return None
        return cls(f"{match[1]}.{match[2]}", "arm64" if architecture == "arm64" else "x86_64")

    def __str__(self) -> str:
        return f"python{self.python} on {self.architecture} (glibc 2.{self.glibc})"

    @property
    def version(self) -> tuple[int, int]:
        major, _, minor = self.python.partition(".")
        return int(major), int(minor)

    @property
    def glibc(self) -> int:
        """The minor number of the runtime's glibc 2.x."""
        if self.version >= (3, 12):
            return 34
        return 26 if self.version >= (3, 8) else 17

    @property
    def machine(self) -> str:
        return "aarch64" if self.architecture == "arm64" else "x86_64"

    def uv_name(self, *, chosen: bool = False) -> str:
        """uv's name: the newest that it knows and that the runtime's glibc satisfies. It knows none between 2.17 and
        2.28; of files that are `chosen` already it is to take those in between, too."""
        return f"{self.machine}-{'manylinux_2_34' if chosen or self.glibc >= 34 else 'manylinux2014'}"

    @property
    def wheel_platforms(self) -> tuple[str, ...]:
        """The platform tags of wheels that run here, the best first, without `any`."""
        lowest = 5 if self.machine == "x86_64" else 17
        names = []
        for minor in range(self.glibc, lowest - 1, -1):
            names.append(f"manylinux_2_{minor}_{self.machine}")
            if minor in _OLD_NAMES:
                names.append(f"{_OLD_NAMES[minor]}_{self.machine}")
        return (*names, f"linux_{self.machine}")

    def tags(self) -> list[Tag]:
        """Every tag of a wheel that runs here, the best first."""
        from packaging import tags

        platforms = self.wheel_platforms
        return [
            *tags.cpython_tags(self.version, platforms=platforms),
            *tags.compatible_tags(self.version, f"cp{self.version[0]}{self.version[1]}", platforms),
        ]

    def markers(self) -> dict[str, str]:
        """The environment in which markers are evaluated (PEP 508), apart from `extra`."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }
