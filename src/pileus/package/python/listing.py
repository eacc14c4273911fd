"""What was installed: the distributions of a folder, their files, and who requires whom.

Read from the metadata that installers leave (`*.dist-info`), before that is tidied.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path as FilePath
from pathlib import PurePosixPath

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement

from pileus.package.python.lambda_platform import LambdaPlatform
from pileus.package.python.settings import normalised


@dataclass(frozen=True, slots=True)
class InstalledDistribution:
    """`name` as it writes itself, `key` normalised; `files` relative to the folder, with `/`; `tags` of its wheel."""

    name: str
    key: str
    version: str
    info: str
    files: tuple[str, ...]
    requires: tuple[str, ...]
    tags: tuple[str, ...]


def distributions(folder: FilePath) -> list[InstalledDistribution]:
    """Those of a folder, by name."""
    found = [_distribution(folder, info) for info in sorted(folder.glob("*.dist-info"))]
    return sorted(found, key=lambda one: one.key)


def _distribution(folder: FilePath, info: FilePath) -> InstalledDistribution:
    headers = (info / "METADATA").read_text("utf-8", "replace").split("\n\n", 1)[0]
    metadata = message_from_string(headers)
    record = info / "RECORD"
    rows = csv.reader(record.read_text("utf-8").splitlines()) if record.is_file() else ()
    files = (PurePosixPath(row[0].replace("\\", "/")) for row in rows if row)
    inside = tuple(str(path) for path in files if not path.is_absolute() and ".." not in path.parts)
    wheel = message_from_string((info / "WHEEL").read_text("utf-8")) if (info / "WHEEL").is_file() else None
    name = str(metadata["Name"])
    return InstalledDistribution(
        name,
        normalised(name),
        str(metadata["Version"]),
        info.name,
        inside,
        tuple(metadata.get_all("Requires-Dist") or ()),
        tuple(wheel.get_all("Tag") or ()) if wheel is not None else (),
    )


def required_by(
    found: list[InstalledDistribution], roots: Mapping[str, str], platform: LambdaPlatform
) -> dict[str, tuple[str, ...]]:
    """For each distribution's key the names of those that require it, the user's own file (`roots`) first.

    Extras are followed: `powertools[tracer]` requires what that extra does, once somebody asks for it.
    """
    by_key = {one.key: one for one in found}
    environment = platform.markers()
    parsed = {one.key: [_parsed(text) for text in one.requires] for one in found}
    extras: dict[str, set[str]] = {one.key: {""} for one in found}
    by: dict[str, dict[str, None]] = {
        one.key: ({roots[one.key]: None} if one.key in roots else {}) for one in found
    }
    for (
        requirements
    ) in parsed.values():  # whose extras are asked for: by anybody, so that an extra's own are in
        for requirement in requirements:
            if requirement is not None and normalised(requirement.name) in extras:
                extras[normalised(requirement.name)] |= requirement.extras
    for key in by_key:
        for requirement in parsed[key]:
            if requirement is None or normalised(requirement.name) not in by:
                continue
            if _applies(requirement, environment, {*extras[key], *_root_extras(roots, key)}):
                by[normalised(requirement.name)][by_key[key].name] = None
    return {key: tuple(names) for key, names in by.items()}


def _root_extras(roots: Mapping[str, str], key: str) -> tuple[str, ...]:
    """What the user asks of his own lines is not parsed here: any extra of theirs may be wanted."""
    return ("*",) if key in roots else ()


def _applies(requirement: Requirement, environment: dict[str, str], extras: set[str]) -> bool:
    if requirement.marker is None:
        return True
    if "*" in extras and "extra" in str(requirement.marker):
        return True
    try:
        return any(requirement.marker.evaluate({**environment, "extra": extra}) for extra in extras)
    except UndefinedEnvironmentName:
        return False


def _parsed(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:  # metadata of long ago
        return None
