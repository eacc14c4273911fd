"""The reference service as `pileus new` finds it: it compiles, its pure tests pass, and serverless.yml names what exists.

The service run whole, in the embedded cloud, is tested by its own tests/service.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import pileus

SERVICE = Path(pileus.__file__).parent / "templates" / "service"
SOURCES = sorted(path for path in SERVICE.rglob("*.py") if "__pycache__" not in path.parts)
NAMED_IN = {"serverless.yml", "pyproject.toml", "README.md"}


@pytest.fixture(scope="module")
def configuration() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((SERVICE / "serverless.yml").read_text())
    return loaded


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SERVICE)))
def test_every_module_compiles(path: Path) -> None:
    compile(path.read_text(), str(path), "exec", dont_inherit=True)


def test_every_handler_exists_and_every_function_file_is_used(configuration: dict[str, Any]) -> None:
    named = set()
    for function in configuration["functions"].values():
        module, _, name = function["handler"].rpartition(".")
        tree = ast.parse((SERVICE / f"{module}.py").read_text())
        targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
        assert name in {target.id for target in targets if isinstance(target, ast.Name)}, module
        named.add(f"{module}.py")
    files = (SERVICE / "src/functions").rglob("*.py")
    assert named == {str(path.relative_to(SERVICE)) for path in files if path.name != "__init__.py"}


def test_every_file_that_the_configuration_includes_exists_and_is_used() -> None:
    text = (SERVICE / "serverless.yml").read_text()
    included = set(re.findall(r"\$\{file\(([^)]+)\)\}", text))
    assert included == {f"resources/{path.name}" for path in (SERVICE / "resources").iterdir()}


def test_api_gateway_asks_for_what_the_functions_schemas_require(configuration: dict[str, Any]) -> None:
    models = configuration["custom"]["requestModels"]
    for path in (SERVICE / "schemas").iterdir():
        schema = json.loads(path.read_text())
        model = models.pop(re.sub(r"-(\w)", lambda found: found[1].upper(), path.stem))
        assert model == {key: schema[key] for key in model}
        assert "required" in model or "minProperties" in model
    assert models == {}


def test_routes_of_functions_match_their_events(configuration: dict[str, Any]) -> None:
    """Powertools' `<user_id>` in the file is API Gateway's `{id}` in serverless.yml."""
    for function in configuration["functions"].values():
        for event in function.get("events", []):
            if "http" not in event:
                continue
            source = (SERVICE / f"{function['handler'].rpartition('.')[0]}.py").read_text()
            route = re.escape("/" + event["http"]["path"]).replace(r"\{id\}", "<[a-z_]+>")
            assert re.search(rf'@app\.{event["http"]["method"]}\("{route}"', source), function["handler"]


def test_the_name_that_new_replaces_stands_only_where_it_replaces_it() -> None:
    kinds = {".py", ".yml", ".json", ".toml", ".txt", ".md", ""}
    hidden = (".ruff_cache", ".pytest_cache", ".pileus", ".venv", "build")
    files = [path for path in SERVICE.rglob("*") if path.is_file() and not {*path.parts} & {*hidden}]
    texts = [path for path in files if path.suffix in kinds]
    assert {path.name for path in texts if "pileus-service" in path.read_text()} == NAMED_IN


def test_the_pure_tests_of_the_service_pass(tmp_path: Path) -> None:
    copy = tmp_path / "service"
    shutil.copytree(SERVICE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "POWERTOOLS_", "PYTEST_"))
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit"]
    done = subprocess.run(command, cwd=copy, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
