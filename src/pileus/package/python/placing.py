"""Where dependencies go in a package, as serverless-python-requirements places them.

by default              into the root of every artifact with a Python function
package.individually    a function with `module` has only that folder, as its root, and that folder's dependencies
layer                   under python/ of the layer `pythonRequirements`, and into no artifact
zip                     as .requirements.zip, with the module `unzip_requirements` that unpacks it
vendor                  a folder's files beside them
"""

import io
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath

from pileus.package.files import FileSource
from pileus.package.plan import ArtifactPlan, Kind, PackagePlan, Target
from pileus.package.python.dependencies import LAYER, TASK, Dependencies, python_dependencies
from pileus.package.python.lambda_platform import LambdaPlatform
from pileus.package.python.settings import PATH, Settings, read_settings
from pileus.service.errors import ConfigError, ConfigErrors
from pileus.service.model import Function, Service
from pileus.service.tree import Path, get

#: The key of the layer; its logical id is PythonRequirementsLambdaLayer.
LAYER_KEY = "pythonRequirements"

#: Written by us: unpacks once an environment, into a folder that is whole or not there.
_UNZIP = b'''\
"""Unpacks the dependencies of this function into /tmp: import this before any of them."""

import os
import shutil
import sys
import tempfile
import zipfile

_ZIPPED = os.path.join(os.environ.get("LAMBDA_TASK_ROOT", os.path.dirname(os.path.abspath(__file__))), ".requirements.zip")
_UNPACKED = os.path.join(tempfile.gettempdir(), "sls-py-req")

if os.path.exists(_ZIPPED) and _UNPACKED not in sys.path:
    if not os.path.isdir(_UNPACKED):
        _unpacking = tempfile.mkdtemp(dir=tempfile.gettempdir())
        with zipfile.ZipFile(_ZIPPED) as _archive:
            _archive.extractall(_unpacking)
        try:
            os.rename(_unpacking, _UNPACKED)
        except OSError:
            shutil.rmtree(_unpacking, ignore_errors=True)
    sys.path.insert(0, _UNPACKED)
'''


@dataclass(frozen=True, slots=True)
class Placed:
    """The plan with the dependencies in it, and which artifact has which."""

    plan: PackagePlan
    dependencies: dict[Target, tuple[Dependencies, ...]] = field(default_factory=dict)

    def warnings(self) -> tuple[ConfigError, ...]:
        """Each once."""
        seen = {
            str(one): one for all_ in self.dependencies.values() for each in all_ for one in each.warnings
        }
        return tuple(seen.values())

    def notes(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(
            dict.fromkeys(note for all_ in self.dependencies.values() for one in all_ for note in one.notes)
        )


def add_python_dependencies(plan: PackagePlan, progress: Callable[[str], None] = lambda text: None) -> Placed:
    """Raises ConfigErrors. What is to be known is among the warnings of the plan that is returned."""
    placed = _Placing(plan, read_settings(plan.service), progress).place()
    notes = (ConfigError(note) for note in placed.notes())
    return replace(placed, plan=replace(placed.plan, warnings=(*plan.warnings, *placed.warnings(), *notes)))


class _Placing:
    def __init__(self, plan: PackagePlan, settings: Settings, progress: Callable[[str], None]) -> None:
        self.plan = plan
        self.service: Service = plan.service
        self.settings = settings
        self.progress = progress
        self.dependencies: dict[Target, tuple[Dependencies, ...]] = {}
        self.individually = get(self.service.config, "package", "individually") is True

    def place(self) -> Placed:
        if self.settings.layer is not None:
            return self.in_layer()
        artifacts = tuple(self.changed(artifact) for artifact in self.plan.artifacts)
        return Placed(replace(self.plan, artifacts=artifacts), self.dependencies)

    def changed(self, artifact: ArtifactPlan) -> ArtifactPlan:
        functions = [self.service.functions[key] for key in artifact.functions]
        platforms = self.platforms(functions)
        if artifact.ready is not None or artifact.target.kind is Kind.LAYER or not platforms:
            return artifact
        own = functions[0] if artifact.target.kind is Kind.FUNCTION else None
        if own is not None and self.individually:
            artifact = _of_module(artifact, own)
        else:
            own = None
        found = self.installed(artifact.target, own, platforms, TASK)
        more = [*_vendored(self.service, self.settings.vendor, PATH)]
        if own is not None and isinstance(own.config.get("vendor"), str):
            more = [*_vendored(self.service, own.config["vendor"], own.path)]
        return _with(artifact, [*self.shaped(found), *more])

    def in_layer(self) -> Placed:
        target = Target(Kind.LAYER, LAYER_KEY)
        runtimes = get(self.service.config, "layers", LAYER_KEY, "compatibleRuntimes") or []
        architecture = self.service.setting("architecture")
        platforms = {LambdaPlatform.of(runtime, architecture) for runtime in runtimes}
        chosen = [platform for platform in platforms if platform is not None]
        if not chosen:
            message = "needs a Python runtime: provider.runtime or compatibleRuntimes names none"
            raise ConfigErrors([self.service.mistake(message, (*PATH, "layer"))])
        found = self.installed(target, None, sorted(chosen, key=str), LAYER)
        files = [*found, *_vendored(self.service, self.settings.vendor, PATH)]
        inside = tuple(replace(file, path=f"python/{file.path}") for file in files)
        layer = ArtifactPlan(target, f"{LAYER_KEY}.zip", files=inside)
        others = tuple(one for one in self.plan.artifacts if one.target != target)
        return Placed(replace(self.plan, artifacts=(*others, layer)), self.dependencies)

    def platforms(self, functions: Iterable[Function]) -> list[LambdaPlatform]:
        """Those of the functions that are Python."""
        found = {
            LambdaPlatform.of(
                function.get("runtime") or self.service.setting("runtime"),
                function.get("architecture") or self.service.setting("architecture"),
            )
            for function in functions
            if not function.get("image")
        }
        return sorted((platform for platform in found if platform is not None), key=str)

    def installed(
        self, target: Target, own: Function | None, platforms: list[LambdaPlatform], prefix: str
    ) -> list[FileSource]:
        """The files for all platforms that share an artifact: those of several Pythons stand side by side."""
        each = tuple(
            python_dependencies(
                self.service, own, platform, self.settings, prefix=prefix, progress=self.progress
            )
            for platform in platforms
        )
        self.dependencies[target] = each
        if len(each) == 1:
            return list(each[0].files)
        files: dict[str, FileSource] = {}
        for file in (file for one in each for file in one.files):
            other = files.setdefault(file.path, file)
            if other is not file and ".dist-info/" not in file.path and other.read() != file.read():
                names = ", ".join(map(str, platforms))
                raise ConfigErrors(
                    [
                        self.service.mistake(
                            f"functions for {names} share an artifact, but {file.group} has different files for them",
                            ("functions",),
                            "set `package.individually: true`",
                            key=True,
                        )
                    ]
                )
        return list(files.values())

    def shaped(self, files: list[FileSource]) -> list[FileSource]:
        if not self.settings.zip or not files:
            return files
        return [
            FileSource.of_bytes(".requirements.zip", _zipped(files), group=".requirements.zip"),
            FileSource.of_bytes("unzip_requirements.py", _UNZIP),
        ]


def _with(artifact: ArtifactPlan, more: list[FileSource]) -> ArtifactPlan:
    """The user's own file wins over a dependency's of its path, and over the `.pyc` of that, which Python would
    take for the user's."""
    own = {file.path: file for file in artifact.files}
    added = {file.path: file for file in more if file.path not in own and _source_of(file.path) not in own}
    return replace(artifact, files=(*artifact.files, *added.values()))


def _source_of(path: str) -> str:
    """The source of a `.pyc`; "" of any other file."""
    where, found, name = path.rpartition("__pycache__/")
    return f"{where}{name.partition('.')[0]}.py" if found and name.endswith(".pyc") else ""


def _of_module(artifact: ArtifactPlan, function: Function) -> ArtifactPlan:
    """A function with `module`: that folder is the root of its artifact, which is called after both."""
    module = function.config.get("module")
    folder = module.strip("/").removeprefix("./") if isinstance(module, str) else ""
    if folder in ("", "."):
        return artifact
    files = tuple(
        replace(file, path=file.path.removeprefix(f"{folder}/"))
        for file in artifact.files
        if file.path.startswith(f"{folder}/")
    )
    name = f"{folder.rpartition('/')[2]}-{function.name}.zip"
    return replace(artifact, file_name=name, files=files)


def _vendored(service: Service, folder: str, path: Path) -> Iterator[FileSource]:
    if not folder:
        return
    root = service.directory / folder
    if not root.is_dir():
        raise ConfigErrors([service.mistake(f"{folder} is not a folder", (*path, "vendor"))])
    for where, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            file = FilePath(where, name)
            yield FileSource.of_file(file.relative_to(root).as_posix(), file, group=folder)


def _zipped(files: list[FileSource]) -> bytes:
    """An archive of the files whose bytes depend on nothing else."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(files, key=lambda one: one.path):
            entry = zipfile.ZipInfo(file.path, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = (0o100000 | file.mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read())
    return out.getvalue()
