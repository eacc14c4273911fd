"""What the golden cases say of Serverless Framework 3.40.0 besides the templates, prints and verdicts themselves, which
tests/cli/test_golden_commands.py compares: the order of resources, where warnings come, and the places of mistakes."""

import json
import sys
from pathlib import Path

import pytest

from pileus.service import ConfigErrors

sys.path.insert(0, str(Path(__file__).parent))
from golden import ROOT, cases, comparison, compile_loaded, load

#: Equal, but versions of images and of functions with layers, or resources of paths, come in another order.
ORDERED_OTHERWISE = {
    "059-images",
    "072-layers-provider-and-artifact",
    "100-http-basic",
    "113-http-external-api",
}


@pytest.mark.parametrize("name", cases("cases"))
def test_resources_come_in_the_same_order(name: str) -> None:
    """The order of kinds of resource: the deployment reads better, and behaviours.md names it."""
    compare = comparison()
    case = ROOT / "cases" / name
    got = compare.normalise_template(json.loads(json.dumps(compile_loaded(load(case)).update_stack)))
    want = compare.load(case / "expected" / "update-stack.json")
    order = [key for key in got["Resources"] if key in want["Resources"]]
    if name not in ORDERED_OTHERWISE:
        assert order == list(want["Resources"])


@pytest.mark.parametrize("name", cases("cases"))
def test_warnings_come_where_the_framework_warns(name: str) -> None:
    file = ROOT / "cases" / name / "expected" / "warnings.txt"
    expected = file.exists() and file.read_text().strip() != ""
    assert bool(load(ROOT / "cases" / name).warnings) == expected


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("002-unknown-function-property", [(7, 5)]),
        ("020-yaml-syntax", [(4, 11)]),
        ("021-yaml-duplicate-key", [(5, 3)]),
        ("022-yaml-unknown-tag", [(4, 6)]),
        ("029-var-opt-param-missing", [(6, 8), (7, 8), (8, 8)]),
        ("038-var-object-in-string", [(5, 11)]),
        ("084-image-not-defined", [(4, 14)]),
        ("093-validation-error-json-mode-many", [(3, 51), (3, 72), (7, 13), (8, 11), (9, 23), (10, 31)]),
    ],
)
def test_errors_are_at_their_place(name: str, places: list[tuple[int, int]]) -> None:
    case = ROOT / "errors" / name
    if not case.is_dir():
        pytest.skip(f"no golden data at {ROOT}")
    with pytest.raises(ConfigErrors) as caught:
        compile_loaded(load(case))
    marks = [error.mark for error in caught.value.errors]
    assert [(mark.line, mark.column) for mark in marks if mark] == places
