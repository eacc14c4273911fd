"""A shop of tiny wheels and source packages on the disk, and services that shop there: uv runs as it does for a user,
without a network."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pileus.package.python import Dependencies, LambdaPlatform, python_dependencies, read_settings
from pileus.service.loader import load_service
from pileus.service.model import Service

_BACKEND = """
import zipfile

def get_requires_for_build_wheel(settings=None):
    return []

def build_wheel(folder, settings=None, metadata=None):
    name = "{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("{name}.py", open("{name}.py").read())
        wheel.writestr("{name}-{version}.dist-info/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        wheel.writestr("{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {tag}\\n")
        wheel.writestr("{name}-{version}.dist-info/RECORD", "{name}.py,,\\n{name}-{version}.dist-info/METADATA,,\\n{name}-{version}.dist-info/WHEEL,,\\n{name}-{version}.dist-info/RECORD,,\\n")
    return name
"""


@dataclass
class Shop:
    """Makes packages in `folder`, which uv and pip are told to look into."""

    folder: Path

    def wheel(
        self,
        name: str,
        version: str = "1.0",
        *,
        files: Mapping[str, str | bytes] | None = None,
        requires: Sequence[str] = (),
        tag: str = "py3-none-any",
        scripts: Sequence[str] = (),
    ) -> Path:
        """A wheel with a module of its name, unless `files` says what is in it."""
        info = f"{name}-{version}.dist-info"
        content: dict[str, str | bytes] = dict(files or {f"{name}.py": f"NAME = {name!r}\n"})
        needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
        content[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
        content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
        if scripts:
            points = "".join(f"{one} = {name}:main\n" for one in scripts)
            content[f"{info}/entry_points.txt"] = f"[console_scripts]\n{points}"
        rows = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in content.items()]
        content[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
        file = self.folder / f"{name}-{version}-{tag}.whl"
        with zipfile.ZipFile(file, "w") as archive:
            for path, data in content.items():
                archive.writestr(path, data)
        return file

    def sdist(self, name: str, version: str = "1.0", *, tag: str = "py3-none-any") -> Path:
        """A source package that builds to a wheel of a tag, with a backend of its own."""
        file = self.folder / f"{name}-{version}.tar.gz"
        with tarfile.open(file, "w:gz") as archive:
            for path, text in source_tree(name, version, tag).items():
                entry = tarfile.TarInfo(f"{name}-{version}/{path}")
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
        return file


def source_tree(name: str, version: str = "1.0", tag: str = "py3-none-any") -> dict[str, str]:
    project = f'[project]\nname = "{name}"\nversion = "{version}"\n'
    build = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    return {
        "pyproject.toml": project + build,
        "backend.py": _BACKEND.format(name=name, version=version, tag=tag),
        f"{name}.py": "BUILT = True\n",
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }


def _digest(data: str | bytes) -> str:
    raw = hashlib.sha256(data.encode() if isinstance(data, str) else data).digest()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Customer:
    """A service in `folder`, and what its dependencies are; without `.pyc`, which take longer than all the rest."""

    folder: Path
    settings: str = "precompile: false"
    runtime: str = "python3.11"
    architecture: str = "x86_64"
    more: str = ""
    said: list[str] = field(default_factory=list)

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def service(self) -> Service:
        settings = f"custom:\n  pythonRequirements: {{{self.settings}}}\n" if self.settings else ""
        provider = f"{{name: aws, runtime: {self.runtime}, architecture: {self.architecture}}}"
        functions = self.more or "functions:\n  hello: {handler: handler.hello}\n"
        self.write("serverless.yml", f"service: shop\nprovider: {provider}\n{settings}{functions}")
        return load_service(self.folder, options={}, environ={}, validation="off").service

    def dependencies(self, prefix: str = "/var/task") -> Dependencies:
        service = self.service()
        platform = LambdaPlatform.of(self.runtime, self.architecture)
        assert platform is not None
        return python_dependencies(
            service, None, platform, read_settings(service), prefix=prefix, progress=self.said.append
        )

    def files(self) -> dict[str, bytes]:
        return {file.path: file.read() for file in self.dependencies().files}

    def paths(self) -> list[str]:
        return [file.path for file in self.dependencies().files]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    folder = tmp_path / "wheels"
    folder.mkdir()
    config = tmp_path / "uv.toml"
    config.write_text(f'no-index = true\nfind-links = ["{folder}"]\n')
    monkeypatch.setenv("UV_CONFIG_FILE", str(config))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("PILEUS_CACHE_DIR", str(tmp_path / "cache"))
    return Shop(folder)


@pytest.fixture
def customer(tmp_path: Path) -> Customer:
    folder = tmp_path / "service"
    folder.mkdir()
    return Customer(folder)


@pytest.fixture
def tree() -> Callable[..., dict[str, str]]:
    return source_tree
