"""What `pileus new` writes. `service/` is the reference service, kept as files that run as they stand.

Writing it into a folder replaces the service's name, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

#: The name that the files carry; it is replaced wherever it stands.
_PLACEHOLDER = b"pileus-service"
#: What a run of the template's own tests leaves beside its files.
_LEFTOVERS = frozenset({"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".pileus", ".venv"})
#: As Serverless Framework requires of a service's name; 40 keep all names derived from it within AWS's limits.
_NAME = re.compile(r"[a-zA-Z][0-9a-zA-Z-]{0,39}")


def is_service_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def service_files() -> Iterator[tuple[Path, bytes]]:
    """(path inside the service, content) of every file of the reference service, in order."""
    root = Path(__file__).parent / "service"
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if path.is_file() and not _LEFTOVERS.intersection(inside.parts) and path.suffix != ".pyc":
            yield inside, path.read_bytes()


def write_service(folder: Path, name: str) -> list[Path]:
    """Writes the reference service as `name` into `folder` (made if missing). Returns the paths, inside `folder`."""
    written = []
    for inside, content in service_files():
        target = folder / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.replace(_PLACEHOLDER, name.encode()))
        written.append(inside)
    return written
