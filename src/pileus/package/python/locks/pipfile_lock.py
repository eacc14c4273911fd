"""Pipfile.lock: its `default` section, flat and pinned."""

import json
import os
from pathlib import Path as FilePath

from packaging.markers import InvalidMarker, Marker

from pileus.package.python.lambda_platform import LambdaPlatform
from pileus.package.python.locks import Locked, hashed
from pileus.package.python.settings import normalised
from pileus.package.python.sources import Source, read_toml
from pileus.service.errors import ConfigError, ConfigErrors
from pileus.service.marks import Mark
from pileus.service.tree import Json


def read(source: Source, platform: LambdaPlatform) -> Locked:
    """Raises ConfigErrors."""
    try:
        document = json.loads(source.file.read_text("utf-8"))
        default = document["default"]
        environment = {**platform.markers(), "extra": ""}
        lines = tuple(
            (normalised(name), _line(name, entry, source.folder))
            for name, entry in default.items()
            if not entry.get("markers") or Marker(entry["markers"]).evaluate(environment)
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError, InvalidMarker) as error:
        mark = Mark(source.file, getattr(error, "lineno", 1), getattr(error, "colno", 1))
        raise ConfigErrors([ConfigError(f"cannot read Pipfile.lock: {error}", mark=mark)]) from None
    return Locked(lines, _roots(source.folder), _indexes(document))


def _line(name: str, entry: Json, folder: FilePath) -> str:
    if "git" in entry:
        inside = f"#subdirectory={entry['subdirectory']}" if entry.get("subdirectory") else ""
        return f"{name} @ git+{entry['git']}@{entry['ref']}{inside}"
    place = entry.get("path") or entry.get("file")
    if place:
        url = place if "://" in place else (folder / place).resolve().as_uri()
        return f"{name} @ {url}"
    return hashed(f"{name}{entry['version']}", entry.get("hashes") or [])


def _indexes(document: Json) -> tuple[str, ...]:
    urls = [
        os.path.expandvars(one["url"])
        for one in document.get("_meta", {}).get("sources", [])
        if one.get("url")
    ]
    return tuple(url for url in urls if not url.startswith("https://pypi.org/"))


def _roots(folder: FilePath) -> tuple[str, ...]:
    pipfile = folder / "Pipfile"
    packages = read_toml(pipfile).get("packages") or {} if pipfile.is_file() else {}
    return tuple(normalised(name) for name in packages)
