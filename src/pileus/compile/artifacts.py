"""What packaging made, as the compiler needs it: file names, digests, and the directory in the bucket.

In offline mode code is mounted, not zipped: `Artifacts.synthetic` stands in, with the names that packaging would
give and digests of those names.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pileus.service.model import Function, Service
from pileus.service.tree import Json, get

#: The archive of the framework's own functions.
CUSTOM_RESOURCES = "custom-resources.zip"


@dataclass(frozen=True, slots=True)
class Artifact:
    """`sha256` is base64, as Lambda gives CodeSha256; `sha1` (hex) identifies a layer's content."""

    file_name: str
    sha256: str
    sha1: str = ""


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Artifacts of one deployment. `service` holds every function without one of its own."""

    at_ms: int
    service: Artifact
    functions: Mapping[str, Artifact] = field(default_factory=dict)
    layers: Mapping[str, Artifact] = field(default_factory=dict)
    custom_resources: Artifact = field(default_factory=lambda: _made_up(CUSTOM_RESOURCES))

    def of_function(self, key: str) -> Artifact:
        return self.functions.get(key, self.service)

    @property
    def timestamp(self) -> str:
        """`<epoch milliseconds>-<ISO date>`, the directory of this deployment in the bucket."""
        at = datetime.fromtimestamp(self.at_ms // 1000, UTC)
        return f"{self.at_ms}-{at:%Y-%m-%dT%H:%M:%S}.{self.at_ms % 1000:03d}Z"

    @classmethod
    def synthetic(cls, service: Service, at_ms: int) -> "Artifacts":
        """Artifacts that were never made, for a service whose code is mounted."""
        return cls(
            at_ms=at_ms,
            service=_made_up(file_name(service)),
            functions={
                key: _made_up(file_name(service, function))
                for key, function in service.functions.items()
                if has_own_artifact(service, function)
            },
            layers={
                key: _made_up(layer_file_name(service, key)) for key in service.config.get("layers") or {}
            },
        )


def has_own_artifact(service: Service, function: Function) -> bool:
    """Whether a function's code is packaged apart from the service's, which may be an artifact of the user's."""
    if function.get("package", "artifact") or function.get("package", "individually"):
        return True
    package = service.config.get("package")
    return bool(get(package, "individually") and not get(package, "artifact"))


def file_name(service: Service, function: Function | None = None) -> str:
    """The artifact's file name: the user's own, or one after the function or the service."""
    if function is not None:
        own = function.get("package", "artifact")
        return _base(own) or f"{function.key}.zip"
    own = get(service.config, "package", "artifact")
    return _base(own) or f"{service.name}.zip"


def layer_file_name(service: Service, key: str) -> str:
    own = get(service.config, "layers", key, "package", "artifact")
    return _base(own) or f"{key}.zip"


def _base(path: Json) -> str:
    if not isinstance(path, str):  # the schema has said so already
        return ""
    return path.replace("\\", "/").rpartition("/")[2]


def _made_up(name: str) -> Artifact:
    data = name.encode()
    sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    return Artifact(name, base64.b64encode(hashlib.sha256(data).digest()).decode(), sha1)
