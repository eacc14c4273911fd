"""Every golden case: the same template and the same errors as Serverless
Framework 3.40.0. (What `pileus print` says of them: tests/cli/test_golden_commands.py.)"""

import json
import sys
from pathlib import Path

import pytest

from pileus.service import ConfigErrors

sys.path.insert(0, str(Path(__file__).parent))
from golden import ROOT, comparison, compile_loaded, load, names

#: Cases whose template is not equal yet, with what is missing.
GAPS: dict[str, str] = {}
#: Equal, but versions of images and of functions with layers, or resources of paths, come in another order.
ORDERED_OTHERWISE = {
    "059-images",
    "072-layers-provider-and-artifact",
    "100-http-basic",
    "113-http-external-api",
}
#: Errors that are not this layer's: options belong to the command line, files of artifacts to packaging.
ELSEWHERE = {"041-unknown-cli-option", "043-artifact-missing", "083-accelerate-is-a-deploy-option-only"}


def gaps(found: list[str], known: dict[str, str]) -> list[object]:
    return [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=known[name]))
        if name in known
        else name
        for name in found
    ] or [pytest.param("none", marks=pytest.mark.skip(reason=f"no golden data at {ROOT}"))]


@pytest.mark.parametrize("name", gaps(names("cases"), GAPS))
def test_template_is_equal(name: str) -> None:
    compare = comparison()
    case = ROOT / "cases" / name
    templates = compile_loaded(load(case))
    expected = case / "expected"
    update = json.loads(json.dumps(templates.update_stack))
    assert compare.compare_templates(compare.load(expected / "update-stack.json"), update) == []
    if (expected / "create-stack.json").exists():
        create = compare.load(expected / "create-stack.json")
        assert compare.compare_templates(create, templates.create_stack) == []
    else:
        assert templates.create_stack is None


@pytest.mark.parametrize("name", gaps(names("cases"), {}))
def test_resources_come_in_the_same_order(name: str) -> None:
    """The order of kinds of resource: the deployment reads better, and behaviours.md names it."""
    if name in GAPS:
        pytest.skip(GAPS[name])
    compare = comparison()
    case = ROOT / "cases" / name
    got = compare.normalise_template(json.loads(json.dumps(compile_loaded(load(case)).update_stack)))
    want = compare.load(case / "expected" / "update-stack.json")
    order = [key for key in got["Resources"] if key in want["Resources"]]
    if name not in ORDERED_OTHERWISE:
        assert order == list(want["Resources"])


@pytest.mark.parametrize("name", gaps(names("cases"), {}))
def test_warnings_come_where_the_framework_warns(name: str) -> None:
    file = ROOT / "cases" / name / "expected" / "warnings.txt"
    expected = file.exists() and file.read_text().strip() != ""
    assert bool(load(ROOT / "cases" / name).warnings) == expected


@pytest.mark.parametrize("name", gaps([name for name in names("errors") if name not in ELSEWHERE], {}))
def test_errors_agree(name: str) -> None:
    case = ROOT / "errors" / name
    fails = int((case / "exit").read_text()) != 0
    if not fails:
        compile_loaded(load(case))
        return
    with pytest.raises(ConfigErrors) as caught:
        compile_loaded(load(case))
    assert caught.value.errors
    for error in caught.value.errors:
        assert error.mark is not None, error
        assert error.message


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
