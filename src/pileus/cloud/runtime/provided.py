"""boto3, which every Python runtime of Lambda has, for projects whose own environment lacks it.

A folder of links to our own boto3 and what it needs, and to nothing else, goes to the end of sys.path: what the project
has installed comes first, and a dependency that it forgot stays missing, as in AWS.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

_MODULES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")


def link(folder: Path) -> Path:
    """Fills `folder`, which must not be there yet."""
    folder.mkdir(parents=True)
    for name in _MODULES:
        spec = find_spec(name)
        if spec is not None and spec.origin:
            origin = Path(spec.origin)
            target = origin.parent if origin.name == "__init__.py" else origin
            (folder / target.name).symlink_to(target)
    return folder
