"""What is to be packaged: the artifacts of a service and the files of each. Nothing is written here.

Every function without an artifact of its own runs from the service's. Which function has its own, where the file is
the user's, and which patterns count, is as in Serverless Framework v3.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path as FilePath

from pileus.compile.artifacts import file_name, has_own_artifact, layer_file_name
from pileus.package.archive_paths import archive_path, is_safe
from pileus.package.files import EXECUTABLE, PLAIN, FileSource
from pileus.package.selection import Found, Rules, Tree
from pileus.service.errors import ConfigError, ConfigErrors
from pileus.service.model import Function, Service
from pileus.service.tree import Json, Path, get

#: Left out unless a pattern takes them; `.pileus` is our own state.
_DEFAULTS = (
    ".git/**",
    ".gitignore",
    ".DS_Store",
    "npm-debug.log",
    "yarn-*.log",
    ".serverless/**",
    ".serverless_plugins/**",
    ".pileus/**",
)
_NOTHING = "No file matches include / exclude patterns"


class Kind(Enum):
    SERVICE = "service"
    FUNCTION = "function"
    LAYER = "layer"
    CUSTOM_RESOURCES = "custom-resources"


@dataclass(frozen=True, slots=True)
class Target:
    """Whose code an artifact is: the service's (key ""), one function's, one layer's, or that of the functions which
    do what CloudFormation cannot (key "")."""

    kind: Kind
    key: str = ""


@dataclass(frozen=True, slots=True)
class ArtifactPlan:
    """One artifact: made of `files`, or the archive `ready` that the user brings along.

    `functions` are the keys of the functions that run from it (none for a layer).
    """

    target: Target
    file_name: str
    functions: tuple[str, ...] = ()
    files: tuple[FileSource, ...] = ()
    ready: FilePath | None = None

    @property
    def path(self) -> Path:
        """Where the configuration speaks of it."""
        match self.target.kind:
            case Kind.SERVICE:
                return ("package",)
            case Kind.FUNCTION:
                return ("functions", self.target.key)
            case Kind.LAYER:
                return ("layers", self.target.key)
            case Kind.CUSTOM_RESOURCES:
                return ()


@dataclass(frozen=True, slots=True)
class PackagePlan:
    """Every artifact of a service. Plugins return a changed copy (`adding`, `replacing`)."""

    service: Service
    artifacts: tuple[ArtifactPlan, ...]
    warnings: tuple[ConfigError, ...] = ()

    def of_function(self, key: str) -> ArtifactPlan | None:
        """The artifact that a function runs from; None for an image."""
        return next((artifact for artifact in self.artifacts if key in artifact.functions), None)

    def changing(self, change: Callable[[ArtifactPlan], ArtifactPlan]) -> "PackagePlan":
        """A copy with every artifact that is made here of the user's files passed through `change`."""
        artifacts = tuple(
            artifact if artifact.ready or artifact.target.kind is Kind.CUSTOM_RESOURCES else change(artifact)
            for artifact in self.artifacts
        )
        return replace(self, artifacts=artifacts)

    def adding(self, files: Mapping[Target, Iterable[FileSource]]) -> "PackagePlan":
        """A copy with more files in some artifacts; the user's own file wins over an added one of its path."""

        def add(artifact: ArtifactPlan) -> ArtifactPlan:
            more = files.get(artifact.target)
            if more is None:
                return artifact
            by_path = {file.path: file for file in more} | {file.path: file for file in artifact.files}
            return replace(artifact, files=tuple(by_path.values()))

        return self.changing(add)

    def replacing(self, files: Mapping[Target, Iterable[FileSource]]) -> "PackagePlan":
        """A copy with other files in some artifacts."""

        def change(artifact: ArtifactPlan) -> ArtifactPlan:
            own = files.get(artifact.target)
            return artifact if own is None else replace(artifact, files=tuple(own))

        return self.changing(change)


def plan_package(
    service: Service, *, out: FilePath | None = None, replaced: Iterable[str] = ()
) -> PackagePlan:
    """The artifacts of a service. Raises ConfigErrors with everything that is wrong (a missing artifact, patterns that
    match nothing, ...).

    `out` is a folder of earlier output that must not be packed. Of the functions `replaced` the files are not looked
    for: a bundler brings others.
    """
    return _Planning(service, out, frozenset(replaced)).run()


class _Planning:
    def __init__(self, service: Service, out: FilePath | None, replaced: frozenset[str]) -> None:
        self.service = service
        self.replaced = replaced
        excluded = get(service.config, "package", "excludeDevDependencies") is not False
        self.tree = Tree(service.directory, without_development=excluded)
        self.errors: list[ConfigError] = []
        self.warnings: list[ConfigError] = []
        never = frozenset[str]()
        if out is not None and out != service.directory and out.is_relative_to(service.directory):
            never = frozenset((out.relative_to(service.directory).as_posix(),))
        self.never = never

    def run(self) -> PackagePlan:
        made = [*self.functions(), *self.layers()]
        self.check_names(made)
        if self.errors:
            raise ConfigErrors(self.errors)
        return PackagePlan(self.service, tuple(made), tuple(self.warnings))

    def functions(self) -> list[ArtifactPlan]:
        made: list[ArtifactPlan] = []
        shared: list[Function] = []
        for function in self.service.functions.values():
            if function.get("image"):
                continue
            if has_own_artifact(self.service, function):
                made.append(self.function(function))
            else:
                shared.append(function)
        if shared:
            made.insert(0, self.shared(shared))
        return made

    def function(self, function: Function) -> ArtifactPlan:
        plan = ArtifactPlan(
            Target(Kind.FUNCTION, function.key), file_name(self.service, function), (function.key,)
        )
        own = function.get("package", "artifact")
        if own:
            return self.ready(plan, own, f"the artifact of the function '{function.key}'")
        if function.key in self.replaced:
            return plan
        packages = (self.service.config.get("package"), function.config.get("package"))
        return self.with_files(plan, self.tree, self.rules(*packages))

    def shared(self, functions: list[Function]) -> ArtifactPlan:
        keys = tuple(function.key for function in functions)
        plan = ArtifactPlan(Target(Kind.SERVICE), file_name(self.service), keys)
        own = get(self.service.config, "package", "artifact")
        if own:
            return self.ready(plan, own, "the artifact of the service")
        for function in functions:
            for name in ("patterns", "include", "exclude"):
                if function.get("package", name):
                    message = f"package.{name} of the function '{function.key}' has no effect: it runs from the service's archive"
                    hint = "set package.individually to true, for the service or the function"
                    self.warnings.append(
                        self.service.mistake(message, (*function.path, "package", name), hint, key=True)
                    )
        if self.replaced.issuperset(keys):
            return plan
        return self.with_files(plan, self.tree, self.rules(self.service.config.get("package")))

    def layers(self) -> list[ArtifactPlan]:
        made = []
        for key, layer in (self.service.config.get("layers") or {}).items():
            plan = ArtifactPlan(Target(Kind.LAYER, key), layer_file_name(self.service, key))
            own, folder = get(layer, "package", "artifact"), get(layer, "path")
            if own:
                made.append(self.ready(plan, own, f"the artifact of the layer '{key}'"))
            elif isinstance(folder, str) and folder:
                tree = Tree(self.service.directory / folder)
                rules = _rules((*_DEFAULTS, self.service.file.name), (get(layer, "package"),), frozenset())
                made.append(self.with_files(plan, tree, rules))
            elif get(layer, "artifact"):  # only a plugin may say so: it brings the files
                made.append(plan)
            else:
                message = f"the layer '{key}' has neither 'path' nor 'package.artifact'"
                self.errors.append(self.service.mistake(message, plan.path, key=True))
        return made

    def rules(self, *packages: Json) -> Rules:
        """The rules of one artifact, the service's `package` before the function's."""
        layers = (self.service.config.get("layers") or {}).values()
        folders = [f"{folder}/**" for layer in layers if isinstance(folder := get(layer, "path"), str)]
        dotenv = [".env*"] if self.service.config.get("useDotenv") in (True, "true") else []
        return _rules((*_DEFAULTS, self.service.file.name, *folders, *dotenv), packages, self.never)

    def ready(self, plan: ArtifactPlan, written: Json, what: str) -> ArtifactPlan:
        file = self.service.directory / str(written)
        path = (*plan.path, "artifact") if plan.path == ("package",) else (*plan.path, "package", "artifact")
        if not file.is_file():
            state = "is a folder, not a file" if file.is_dir() else "is not there"
            self.errors.append(
                self.service.mistake(f"{what}, {written}, {state}", path, "build it before packaging")
            )
        return replace(plan, ready=file)

    def with_files(self, plan: ArtifactPlan, tree: Tree, rules: Rules) -> ArtifactPlan:
        try:
            found = tree.select(rules)
        except OSError as error:
            message = f"{error.filename} cannot be read: {error.strerror}"
            self.errors.append(self.service.mistake(message, plan.path, key=True))
            return plan
        if not found:
            self.errors.append(self.service.mistake(_NOTHING, self.patterns_of(plan), _hint(plan), key=True))
            return plan
        files: dict[str, FileSource] = {}
        for file in found:
            self.place(plan, tree, file, files)
        return replace(plan, files=tuple(files[path] for path in sorted(files)))

    def patterns_of(self, plan: ArtifactPlan) -> Path:
        inside = plan.path if plan.path == ("package",) else (*plan.path, "package")
        return (*inside, "patterns")

    def place(self, plan: ArtifactPlan, tree: Tree, file: Found, files: dict[str, FileSource]) -> None:
        """The file at its place in the archive. What lies outside of the service gives way to what lies in it."""
        path = archive_path(file.path)
        if not is_safe(path):
            message = f"the file name {file.path!r} has no place in an archive"
            hint = "rename it, or leave it out with a pattern"
            self.errors.append(self.service.mistake(message, plan.path, hint, key=True))
            return
        if path in files:
            message = f"{file.path} and another file both go to {path}"
            self.warnings.append(self.service.mistake(message, self.patterns_of(plan), key=True))
            if file.path.startswith(".."):
                return
        mode = EXECUTABLE if file.stat.st_mode & 0o100 else PLAIN
        files[path] = FileSource(path, FilePath(f"{tree.root}/{file.path}"), mode, file.stat.st_size)

    def check_names(self, made: list[ArtifactPlan]) -> None:
        """Archives lie side by side in one folder of the bucket."""
        taken: dict[str, ArtifactPlan] = {}
        for plan in made:
            before = taken.setdefault(plan.file_name, plan)
            if before is plan or (plan.ready is not None and plan.ready == before.ready):
                continue
            message = f"two archives are named {plan.file_name}: of {_of(before)} and of {_of(plan)}"
            mistake = self.service.mistake(message, plan.path, "rename one of them", key=True)
            # What the user brings along may be the same file twice.
            (self.warnings if plan.ready and before.ready else self.errors).append(mistake)


def _of(plan: ArtifactPlan) -> str:
    kind, key = plan.target.kind.value, plan.target.key
    return f"the {kind} '{key}'" if key else f"the {kind}"


def _hint(plan: ArtifactPlan) -> str:
    if plan.target.kind is Kind.LAYER:
        return "check the layer's path and patterns"
    return "the last pattern that matches a file decides; one with '!' leaves it out"


def _rules(defaults: tuple[str, ...], packages: tuple[Json, ...], never: frozenset[str]) -> Rules:
    exclude, patterns = [*defaults], list[str]()
    for package in packages:
        exclude += _texts(package, "exclude")
        patterns += [*_texts(package, "include"), *_texts(package, "patterns")]
    return Rules(tuple(exclude), tuple(patterns), never)


def _texts(package: Json, name: str) -> list[str]:
    written = get(package, name)
    written = [written] if isinstance(written, str) else written
    return [text for text in written if isinstance(text, str) and text] if isinstance(written, list) else []
