"""Templates that Serverless Framework 3.40.0 made of the files in `observed/`, run once as a black box.

They cover what the golden cases beside the checkout leave out: EventBridge, topics, existing buckets, authorizers,
merged CORS, keys by plan. The names are normalised as `compare.py` of the golden data does it.
"""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from golden import comparison, compile_loaded, load

FOLDER = Path(__file__).parent / "observed"


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
def test_template_is_equal(name: str) -> None:
    compare = comparison()
    templates = compile_loaded(load(FOLDER / name))
    got = json.loads(json.dumps(templates.update_stack))
    assert compare.compare_templates(json.loads((FOLDER / name / "expected.json").read_text()), got) == []
    if (create := FOLDER / name / "create.json").exists():
        assert compare.compare_templates(json.loads(create.read_text()), templates.create_stack) == []
