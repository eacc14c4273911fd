import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pileus.plugins import Plugins
from pileus.service import LoadedService, load_service

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"


@pytest.fixture(scope="session")
def golden_compare() -> ModuleType:
    if not GOLDEN.is_dir():
        pytest.skip(f"no golden data at {GOLDEN}")
    spec = importlib.util.spec_from_file_location("golden_compare_plugins", GOLDEN / "compare.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Load = Callable[..., LoadedService]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a serverless.yml of a text, with the plugins that it names."""

    def load(
        text: str, *, purpose: Any = "package", environ: Mapping[str, str] | None = None, **options: str
    ) -> LoadedService:
        (tmp_path / "serverless.yml").write_text(text)
        return load_service(tmp_path, options=options, environ=environ or {}, extensions=Plugins(purpose))

    return load
