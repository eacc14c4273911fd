"""What the zygote imports ahead of its children: the third-party modules that the project's handlers import.

The handlers' files are read, not run: their import statements are followed through the project's own files, and what
lies outside of the project is imported, once, for all. The project's own modules never are. For each AWS service that
the code makes a client of, one is made here, so that the models and rules that it needs are parsed before the fork.
"""

# pathlib would cost each cold start milliseconds
# ruff: noqa: PTH112, PTH113, PTH118, PTH123, PTH208

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any

#: What a module imports later, when its classes are used.
_LATER = {"aws_lambda_powertools": ("aws_xray_sdk.core", "aws_xray_sdk.ext.util")}
#: What these change in the interpreter while they are imported, only the function that wants it may have.
_NEVER = frozenset({"ddtrace", "newrelic", "lumigo_tracer", "gevent", "eventlet"})
_BASE = [
    "base64",
    "collections.abc",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "hashlib",
    "hmac",
    "http.client",
    "io",
    "itertools",
    "json",
    "logging",
    "math",
    "pathlib",
    "re",
    "secrets",
    "socket",
    "ssl",
    "string",
    "tempfile",
    "threading",
    "time",
    "traceback",
    "typing",
    "urllib.parse",
    "urllib.request",
    "uuid",
    "zoneinfo",
]
_LIMIT = 2000


def base() -> Iterator[None]:
    """What handlers import of the standard library, whosever they are."""
    for name in _BASE:
        _import(name)
        yield


def steps(message: dict[str, Any], reads: dict[str, Any]) -> Iterator[None]:
    """root: the project. handlers: `path/to/module.function` of its functions. reads: gets the variables that the
    imports look up."""
    scan = _Scan(message["root"])
    for name in message["handlers"]:
        scan.module(name.rsplit(".", 1)[0].replace("/", "."))
    yield
    if {"boto3", "botocore"} & {name.split(".")[0] for name in scan.modules}:
        with recorded_reads(reads):
            _import("boto3")
        yield
        yield from _boto(sorted(scan.services))
    for top in {name.split(".")[0] for name in scan.modules}:
        scan.modules.update(_LATER.get(top, ()))
    for name in sorted(scan.modules, key=lambda each: (each.count("."), each)):
        if name.split(".")[0] not in _NEVER and not scan.is_own(name.split(".")[0]):
            with recorded_reads(reads):
                _import(name)
            yield


def _import(name: str) -> None:
    with contextlib.suppress(BaseException):  # the function that needs it will say so
        importlib.import_module(name)


class _Scan:
    def __init__(self, root: str) -> None:
        self.root = root
        self.modules: set[str] = set()
        self.services: set[str] = set()
        self._seen: set[str] = set()

    def is_own(self, top: str) -> bool:
        path = os.path.join(self.root, top)
        return os.path.isdir(path) or os.path.isfile(path + ".py")

    def _file(self, dotted: str) -> str | None:
        path = os.path.join(self.root, *dotted.split("."))
        for candidate in (path + ".py", os.path.join(path, "__init__.py")):
            if os.path.isfile(candidate):
                return candidate
        return None

    def module(self, dotted: str) -> None:
        """Reads a module of the project, the packages around it, and what it imports of the project."""
        parts = dotted.split(".")
        for end in range(1, len(parts) + 1):
            path = self._file(".".join(parts[:end]))
            if path is not None and path not in self._seen and len(self._seen) < _LIMIT:
                self._seen.add(path)
                is_package = path.endswith("__init__.py")
                self._read(path, parts[:end] if is_package else parts[: end - 1])

    def _read(self, path: str, package: list[str]) -> None:
        try:
            with open(path, "rb") as file:
                tree = ast.parse(file.read(), path)
        except (OSError, SyntaxError, ValueError):
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self._found(alias.name)
            elif isinstance(node, ast.ImportFrom):
                self._found_from(node, package)
            elif isinstance(node, ast.Call):
                self._found_client(node)

    def _found_from(self, node: ast.ImportFrom, package: list[str]) -> None:
        base = (node.module or "").split(".") if node.module else []
        if node.level:
            base = package[: len(package) - node.level + 1] + base
        if not base:
            return
        self._found(".".join(base))
        if self.is_own(base[0]):
            for alias in node.names:
                self.module(".".join([*base, alias.name]))

    def _found(self, name: str) -> None:
        if self.is_own(name.split(".")[0]):
            self.module(name)
        else:
            self.modules.add(name)

    def _found_client(self, node: ast.Call) -> None:
        """`boto3.client("sqs")`, `session.resource("dynamodb")`."""
        method = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if method in ("client", "resource") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                self.services.add(first.value)


def _boto(services: list[str]) -> Iterator[None]:
    """boto3, and the files that clients of `services` parse. A client of the function's own is made as ever; it only
    finds the parsed documents, which botocore treats as read-only (it shares them among the clients of a session)."""
    loaders = sys.modules.get("botocore.loaders")
    session = sys.modules.get("boto3.session")
    if loaders is None or session is None:
        return
    _keep_documents(loaders)
    for name in services or ["sts"]:
        try:
            made = session.Session("-", "-", region_name="us-east-1")
            made.client(name, endpoint_url="http://127.0.0.1:1")
            if name in made.get_available_resources():
                made.resource(name, endpoint_url="http://127.0.0.1:1")
        except Exception:
            pass
        yield


def _keep_documents(loaders: Any) -> None:
    kind, listing = loaders.JSONFileLoader, loaders.Loader.list_available_services
    load = kind.load_file
    documents: dict[str, Any] = {}
    listed: dict[Any, list[str]] = {}

    def load_file(self: Any, file_path: str) -> Any:
        found = documents.get(file_path)
        if found is None:
            found = load(self, file_path)
            if found is not None:
                documents[file_path] = found
        return found

    def list_available_services(self: Any, type_name: str) -> list[str]:
        key = (type_name, *self.search_paths)
        if key not in listed:
            listed[key] = listing(self, type_name)
        return list(listed[key])

    load_file.__doc__ = load.__doc__
    kind.load_file = load_file
    loaders.Loader.list_available_services = list_available_services


class _Recorder(dict):  # type: ignore[type-arg]
    """os.environ's own dictionary while something is imported, with a note of what was looked up."""

    reads: dict[str, Any]

    def __getitem__(self, key: Any) -> Any:
        if sys._getframe(2).f_code.co_name in (
            "__iter__",
            "copy",
        ):  # the whole of it, for a child process or so
            return dict.__getitem__(self, key)
        value = dict.get(self, key)
        self.reads[os.fsdecode(key)] = None if value is None else os.fsdecode(value)
        return dict.__getitem__(self, key)


@contextlib.contextmanager
def recorded_reads(reads: dict[str, Any]) -> Iterator[None]:
    """Notes which variables are looked up, and what was found: an environment that differs in one of them can't use
    what was imported here."""
    environ: Any = os.environ
    plain = environ._data
    recorder = _Recorder(plain)
    recorder.reads = reads
    environ._data = recorder
    try:
        yield
    finally:
        environ._data = dict(recorder)


def make_room(root: str, own: frozenset[str]) -> None:
    """In a child: forgets what was imported ahead under a name that is a module of this project."""
    try:
        names = os.listdir(root)
    except OSError:
        return
    for entry in names:
        name = entry[:-3] if entry.endswith(".py") else entry
        if name in sys.modules and name not in own:
            package = os.path.join(root, name, "__init__.py")
            if entry.endswith(".py") or os.path.isfile(package):
                for loaded in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
                    del sys.modules[loaded]
