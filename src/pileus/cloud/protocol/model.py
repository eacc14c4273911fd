"""botocore's service models, read without botocore.

Importing botocore costs more than a tenth of a second, its data files a few milliseconds: they are read from where the
package lies. Documentation is dropped, and the rest is kept under `cache_dir`, so that the next start need not unpack.
"""

from __future__ import annotations

import importlib.util
import os
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

CACHE_FORMAT = 1  # raise when `strip` keeps something else

# What only a client needs: endpoints, retries, documentation.
_CLIENT_ONLY = frozenset(
    {
        "contextParam",
        "deprecatedMessage",
        "deprecatedSince",
        "documentation",
        "documentationUrl",
        "endpointdiscovery",
        "httpChecksum",
        "operationContextParams",
        "staticContextParams",
    }
)


@dataclass(frozen=True, slots=True)
class Model:
    """One service's model: `operations` and `shapes` as botocore's service-2.json has them."""

    name: str
    metadata: Mapping[str, Any]
    operations: Mapping[str, Mapping[str, Any]]
    shapes: Mapping[str, Mapping[str, Any]]


def botocore_data_dir() -> Path:
    """The folder of botocore's service models."""
    spec = importlib.util.find_spec("botocore")
    if spec is None or spec.origin is None:
        raise RuntimeError("botocore is not installed; Pileus reads AWS's service models from it")
    return Path(spec.origin).parent / "data"


def model_names() -> list[str]:
    """Every service that botocore has a model of."""
    return sorted(entry.name for entry in os.scandir(botocore_data_dir()) if entry.is_dir())


def model_metadata(name: str, *, cache_dir: Path | None = None) -> Mapping[str, Any]:
    return load_model(name, cache_dir=cache_dir).metadata


def load_model(name: str, *, cache_dir: Path | None = None) -> Model:
    """The newest version of a service's model.

    name: botocore's folder. cache_dir: where the stripped form is kept; nothing is kept without it.
    """
    source = _newest(botocore_data_dir() / name)
    kept = None
    if cache_dir is not None:
        status = source.stat()
        kept = cache_dir / f"{name}-{CACHE_FORMAT}-{status.st_size}-{status.st_mtime_ns}.json"
        try:
            return _model(name, orjson.loads(kept.read_bytes()))
        except (OSError, ValueError):
            pass  # not there, or cut off by a kill: made anew below
    raw = source.read_bytes()
    parts = strip(orjson.loads(zlib.decompress(raw, wbits=31) if source.suffix == ".gz" else raw))
    if kept is not None:
        _keep(kept, orjson.dumps(parts))
    return _model(name, parts)


def _model(name: str, parts: Mapping[str, Any]) -> Model:
    return Model(name, parts["metadata"], parts["operations"], parts["shapes"])


def _newest(folder: Path) -> Path:
    try:
        version = max(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except (OSError, ValueError):
        raise LookupError(f"botocore has no model named {folder.name!r}") from None
    packed = folder / version / "service-2.json.gz"
    return packed if packed.exists() else folder / version / "service-2.json"


def _keep(path: Path, content: bytes) -> None:
    """Writes beside and renames: two processes may start at once. A cache that can't be written is no failure."""
    beside = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()


def strip(model: Mapping[str, Any]) -> dict[str, Any]:
    """The model without what only a client or a reader needs."""
    return {
        "metadata": model["metadata"],
        "operations": {name: _bare(operation) for name, operation in model["operations"].items()},
        "shapes": {name: _bare_shape(shape) for name, shape in model["shapes"].items()},
    }


def _bare(part: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key not in _CLIENT_ONLY}


def _bare_shape(shape: Mapping[str, Any]) -> dict[str, Any]:
    bare = _bare(shape)
    if "members" in bare:
        bare["members"] = {name: _bare(member) for name, member in bare["members"].items()}
    for part in ("member", "key", "value"):
        if part in bare:
            bare[part] = _bare(bare[part])
    return bare
