"""What the pages point at exists, and what there is stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pileus.cli.main import COMMANDS, cli
from pileus.cloud.gateway.internal import InternalApi
from pileus.cloud.services import REGISTRY

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("CONTRIBUTING.md"), *ROOT.glob("CHANGELOG.md")]
)


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def options() -> Iterator[tuple[str, str]]:
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield from ((name, option) for option in parameter.opts if option.startswith("--"))


@pytest.mark.parametrize(("command", "option"), list(options()), ids=lambda value: value)
def test_every_option_is_documented(command: str, option: str) -> None:
    page = (ROOT / "docs/cli.md").read_text()
    same = {
        "--reload-handler": "--reloadHandler"
    }  # hidden: the spelling of serverless-offline stands for both
    assert f"## pileus {command}" in page
    assert re.search(rf"{re.escape(same.get(option, option))}\b", page)


def endpoints() -> list[str]:
    found = [name.partition("_") for name in vars(InternalApi) if re.match(r"(get|post|put|delete)_", name)]
    return [f"{method.upper()} {name.replace('_', '-')}" for method, _, name in found]


@pytest.mark.parametrize("endpoint", endpoints())
def test_every_side_door_is_documented(endpoint: str) -> None:
    assert f"`{endpoint}" in (ROOT / "docs/offline.md").read_text()


def test_the_coverage_lists_the_services_that_there_are_and_no_others() -> None:
    page = (ROOT / "docs/coverage.md").read_text()
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == sorted(REGISTRY)


def test_events_for_machines_are_documented() -> None:
    sources = [path.read_text() for path in (ROOT / "src/pileus/cli").glob("**/*.py")]
    kinds = {kind for source in sources for kind in re.findall(r"\.event\(\s*\"([a-z-]+)\"", source)}
    page = "".join((ROOT / "docs" / name).read_text() for name in ("offline.md", "packaging.md"))
    assert "ready" in kinds
    assert {kind for kind in kinds if f"`{kind}`" not in page} - {"written"} == set()
