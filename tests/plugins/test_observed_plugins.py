"""Templates that Serverless Framework 3.40.0 made with the Node plugins of the files in `observed/`, run once as black
boxes. The names are normalised as `compare.py` of the golden data does it."""

import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from pileus.compile import Artifacts, compile_service
from pileus.plugins import Plugins
from pileus.service import load_service

FOLDER = Path(__file__).parent / "observed"
NAMES = sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_template_is_that_of_the_npm_plugin(name: str, golden_compare: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(FOLDER / name, folder)
    options = json.loads((folder / "options.json").read_text()) if (folder / "options.json").exists() else {}
    loaded = load_service(folder, options=options, environ={"PATH": "/bin"}, extensions=Plugins())
    templates = compile_service(loaded.service, Artifacts.synthetic(loaded.service, at_ms=1_700_000_000_000))
    got = json.loads(json.dumps(templates.update_stack))
    expected = json.loads((folder / "expected.json").read_text())
    assert golden_compare.compare_templates(expected, got) == []
    assert list(golden_compare.normalise_template(got)["Resources"]) == list(expected["Resources"])
