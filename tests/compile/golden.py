"""The golden cases beside the checkout, and the part of their comparison that pytest needs."""

import importlib.util
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from pileus.compile import Artifacts, CompiledTemplates, compile_service
from pileus.service import LoadedService, load_service

ROOT = Path(__file__).parents[3] / "shared" / "golden"
AT_MS = 1_700_000_000_000


def names(kind: str) -> list[str]:
    """The cases of a kind (`cases` or `errors`); none where the data are absent."""
    folder = ROOT / kind
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def cases(kind: str) -> list[object]:
    """The same as parameters of a test, which is skipped where the data are absent."""
    return [*names(kind)] or [
        pytest.param("none", marks=pytest.mark.skip(reason=f"no golden data at {ROOT}"))
    ]


def comparison() -> ModuleType:
    if not ROOT.is_dir():
        pytest.skip(f"no golden data at {ROOT}")
    spec = importlib.util.spec_from_file_location("golden_compare", ROOT / "compare.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load(case: Path) -> LoadedService:
    options, params = _options(case)
    environ = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    if (case / "env").exists():
        environ |= dict(line.split("=", 1) for line in (case / "env").read_text().splitlines() if "=" in line)
    return load_service(case, options=options, params=params, environ=environ)


def compile_loaded(loaded: LoadedService) -> CompiledTemplates:
    return compile_service(loaded.service, Artifacts.synthetic(loaded.service, at_ms=AT_MS))


def _options(case: Path) -> tuple[dict[str, str], dict[str, str]]:
    options: dict[str, str] = {}
    params: dict[str, str] = {}
    file = case / "opts"
    words = iter(shlex.split(file.read_text()) if file.exists() else [])
    for word in words:
        name = word.removeprefix("--")
        if name == "param":
            key, _, value = next(words).partition("=")
            params[key] = value
        else:
            options[name] = next(words)
    return options, params
