"""What the tests of packaging share: a service in a folder of its own, and a cache that is nobody else's."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pileus.service import Service, load_service

MakeService = Callable[..., Service]


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("PILEUS_CACHE_DIR", str(cache))
    return cache


@pytest.fixture
def make_service(tmp_path: Path) -> MakeService:
    """`make_service(config, files)`: the service of a configuration, with files by path (text or bytes)."""

    def make(config: Mapping[str, Any], files: Mapping[str, str | bytes] | None = None) -> Service:
        folder = tmp_path / "service"
        for path, content in {"handler.py": "def handle(event, context): ...\n", **(files or {})}.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        whole = {
            "service": "packed",
            "provider": {"name": "aws", "runtime": "python3.11"},
            **config,
        }
        (folder / "serverless.yml").write_text(json.dumps(whole))
        return load_service(folder, options={}, environ={}).service

    return make
