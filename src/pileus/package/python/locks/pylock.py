"""pylock.toml (PEP 751): the wheel that fits the platform best is chosen here, by its file name."""

from collections.abc import Iterator
from pathlib import Path as FilePath
from urllib.parse import unquote, urljoin, urlsplit

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from pileus.package.python.lambda_platform import LambdaPlatform
from pileus.package.python.locks import Locked, hashed
from pileus.package.python.settings import normalised
from pileus.package.python.sources import Source
from pileus.service.errors import ConfigError, ConfigErrors
from pileus.service.tree import Json, get


def read(document: dict[str, Json], folder: FilePath, platform: LambdaPlatform, source: Source) -> Locked:
    """The lines for a platform; paths in the document are relative to `folder`. Raises ConfigErrors."""
    version = str(document.get("lock-version", ""))
    if version.partition(".")[0] != "1":
        raise ConfigErrors(
            [ConfigError(f"lock-version {version or '?'} is not known (1.x is)", mark=source.mark)]
        )
    mistakes = []
    wants = document.get("requires-python")
    if wants and not SpecifierSet(wants).contains(f"{platform.python}.99"):
        mistakes.append(
            ConfigError(
                f"the lock requires Python {wants}, the function runs on {platform}", mark=source.mark
            )
        )
    ranks = {tag: rank for rank, tag in enumerate(platform.tags())}
    lines: list[tuple[str, str]] = []
    for package in document.get("packages") or []:
        try:
            if _applies(package, document, platform):
                lines.append((normalised(package["name"]), _line(package, folder, platform, ranks)))
        except (ValueError, InvalidMarker, KeyError) as error:
            mistakes.append(ConfigError(str(error), mark=source.mark, hint=_remedy(error)))
    if mistakes:
        raise ConfigErrors(mistakes)
    return Locked(tuple(lines))


class _NoFittingWheel(ValueError):
    pass


def _remedy(error: Exception) -> str | None:
    if isinstance(error, _NoFittingWheel):
        return "lock a version with a fitting wheel, or choose another runtime or architecture"
    return None


def _applies(package: Json, document: Json, platform: LambdaPlatform) -> bool:
    marker = package.get("marker")
    if not marker:
        return True
    environment: dict[str, str | frozenset[str]] = {
        **platform.markers(),
        "extras": frozenset(),
        "dependency_groups": frozenset(document.get("default-groups") or []),
    }
    return Marker(marker).evaluate(environment, context="lock_file")


def _line(package: Json, folder: FilePath, platform: LambdaPlatform, ranks: dict[Tag, int]) -> str:
    name = package["name"]
    if vcs := package.get("vcs"):
        where = vcs.get("url") or (folder / vcs["path"]).resolve().as_uri()
        inside = f"#subdirectory={vcs['subdirectory']}" if vcs.get("subdirectory") else ""
        return f"{name} @ {vcs['type']}+{where}@{vcs['commit-id']}{inside}"
    if directory := package.get("directory"):
        path = (folder / directory["path"] / directory.get("subdirectory", "")).resolve()
        return f"{name} @ {path.as_uri()}"
    if archive := package.get("archive"):
        return _located(name, archive, folder, "")
    wheels = [
        (rank, wheel) for wheel in package.get("wheels") or [] for rank in _ranks(_file_name(wheel), ranks)
    ]
    index = package.get("index") or ""
    if wheels:
        best = min(wheels, key=lambda ranked: ranked[0])[1]
        return _located(name, best, folder, index)
    if package.get("sdist") and not package.get("wheels"):
        return _located(name, package["sdist"], folder, index)
    there = sorted({_file_name(wheel).removesuffix(".whl").rpartition("-")[2] for wheel in package["wheels"]})
    raise _NoFittingWheel(
        f"{name} {package.get('version', '')} has no wheel for {platform}; it has some for {', '.join(there)}"
    )


def _ranks(file_name: str, ranks: dict[Tag, int]) -> Iterator[int]:
    try:
        tags = parse_wheel_filename(file_name)[3]
    except InvalidWheelFilename:
        return
    found = [ranks[tag] for tag in tags if tag in ranks]
    if found:
        yield min(found)


def _file_name(file: Json) -> str:
    if file.get("name"):
        return str(file["name"])
    return unquote(urlsplit(file.get("url") or file["path"]).path).rpartition("/")[2]


def _located(name: str, file: Json, folder: FilePath, index: str) -> str:
    """`name @ URL` with its hashes. A file with a name only stands beside the index's page."""
    if file.get("url"):
        url = str(file["url"])
    elif file.get("path"):
        url = (folder / file["path"]).resolve().as_uri()
    else:
        url = urljoin(index.rstrip("/") + "/", str(get(file, "name")))
    hashes = [f"{kind}:{value}" for kind, value in (file.get("hashes") or {}).items()]
    return hashed(f"{name} @ {url}", hashes)
