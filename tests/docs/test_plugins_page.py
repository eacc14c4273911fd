"""docs/plugins.md names every built-in plugin and every hook, and its example runs."""

import inspect
import re
from pathlib import Path

from pileus.compile import Artifacts, compile_service
from pileus.plugins import ENTRY_POINTS, Plugins, hookspecs
from pileus.plugins.names import BUILT_IN
from pileus.service import load_service

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "plugins.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_every_built_in_plugin_has_its_row() -> None:
    rows = re.findall(r"^\| `(serverless-[a-z-]+)` \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(BUILT_IN)


def test_every_hook_has_its_place_in_the_order_of_hookspecs() -> None:
    hooks = [
        f"{name}({', '.join(inspect.signature(function).parameters)})"
        for name, function in vars(hookspecs).items()
        if hasattr(function, "pileus_spec")
    ]
    assert hooks
    assert re.findall(r"^### `(.*)`$", PAGE, re.MULTILINE) == hooks


def test_every_hook_says_what_it_is_for() -> None:
    silent = [
        n for n, f in vars(hookspecs).items() if hasattr(f, "pileus_spec") and not (f.__doc__ or "").strip()
    ]
    assert silent == []


def test_the_example_runs(tmp_path: Path) -> None:
    [yaml], [python] = blocks("yaml"), blocks("python")
    (tmp_path / "serverless.yml").write_text(yaml)
    (tmp_path / "pileus_plugins.py").write_text(python)
    loaded = load_service(tmp_path, options={}, environ={}, extensions=Plugins())
    assert loaded.warnings == ()
    template = compile_service(loaded.service, Artifacts.synthetic(loaded.service, 0)).update_stack
    alarm = template["Resources"]["HelloErrorsAlarm"]["Properties"]
    assert alarm["Threshold"] == 5
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": "shop-dev-hello"}]


def test_the_group_of_entry_points_is_the_one_that_is_read() -> None:
    [toml] = blocks("toml")
    assert f'[project.entry-points."{ENTRY_POINTS}"]' in toml
