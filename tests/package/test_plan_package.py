"""Which archives a service has and what is in them (observed with Serverless Framework 3.40.0 where not said otherwise)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pileus.package import FileSource, Kind, PackagePlan, Target, plan_package
from pileus.service import ConfigErrors, Service

MakeService = Callable[..., Service]
FN: dict[str, Any] = {"handler": "handler.handle"}
FILES = {
    "a.txt": "a",
    "b.txt": "b",
    "c.txt": "c",
    "mine.zip": "no zip",
    "lay/n/x.js": "x",
    "lay/.git/x": "x",
    "lay/serverless.yml": "x",
    "lay/.DS_Store": "x",
}


def table(plan: PackagePlan) -> dict[str, list[str] | str]:
    return {
        artifact.file_name: str(artifact.ready.name)
        if artifact.ready
        else [file.path for file in artifact.files]
        for artifact in plan.artifacts
    }


ALL = [".git/config", "a.txt", "handler.py"]


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        pytest.param(
            {"functions": {"f": FN}, "package": {"patterns": ["!lay/**"]}},
            {"packed.zip": ["a.txt", "b.txt", "c.txt", "handler.py", "mine.zip"]},
            id="shared",
        ),
        pytest.param(
            {
                "package": {"patterns": ["!**", "a.txt"]},
                "functions": {
                    "f": {**FN, "package": {"patterns": ["b.txt"]}},
                    "g": {**FN, "package": {"individually": True, "patterns": ["c.txt"]}},
                    "h": FN,
                },
            },
            {"packed.zip": ["a.txt"], "g.zip": ["a.txt", "c.txt"]},
            id="one individually",
        ),
        pytest.param(
            {
                "package": {"individually": True, "exclude": ["**"], "include": ["a.txt"]},
                "functions": {
                    "f": {**FN, "package": {"exclude": ["a.txt"], "include": ["b.txt"]}},
                    "g": {**FN, "package": {"patterns": ["!a.txt", "c.txt"]}},
                },
            },
            {"f.zip": ["a.txt", "b.txt"], "g.zip": ["c.txt"]},
            id="include and exclude",
        ),
        pytest.param(
            {
                "package": {"individually": True, "patterns": ["!**", "a.txt", "!a.txt"]},
                "functions": {
                    "f": {**FN, "package": {"patterns": ["a.txt", "b.txt"]}},
                    "g": {**FN, "package": {"patterns": ["!**", "c.txt"]}},
                },
            },
            {"f.zip": ["b.txt"], "g.zip": ["c.txt"]},
            id="a text counts where it stands first, across levels",
        ),
        pytest.param(
            {"package": {"individually": True, "artifact": "mine.zip"}, "functions": {"f": FN}},
            {"mine.zip": "mine.zip"},
            id="the service's artifact serves also who is packaged individually by default",
        ),
        pytest.param(
            {
                "package": {"artifact": "mine.zip"},
                "functions": {
                    "f": FN,
                    "g": {**FN, "package": {"individually": True, "patterns": ["!lay/**"]}},
                },
            },
            {"mine.zip": "mine.zip", "g.zip": ["a.txt", "b.txt", "c.txt", "handler.py", "mine.zip"]},
            id="but not who says so",
        ),
        pytest.param(
            {"layers": {"lay": {"path": "lay"}}, "functions": {"f": FN}},
            {"packed.zip": ["a.txt", "b.txt", "c.txt", "handler.py", "mine.zip"], "lay.zip": ["n/x.js"]},
            id="a layer is not in the service",
        ),
        pytest.param(
            {
                "layers": {"lay": {"path": "lay", "package": {"include": ["!n/**", ".git/**"]}}},
                "package": {"patterns": ["!**", "lay/n/**"]},
                "functions": {"f": FN},
            },
            {"packed.zip": ["lay/n/x.js"], "lay.zip": [".git/x"]},
            id="unless a pattern takes it",
        ),
        pytest.param({}, {}, id="no functions"),
        pytest.param(
            {
                "functions": {
                    "f": {"image": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/x@sha256:{'a' * 64}"}
                }
            },
            {},
            id="images",
        ),
        pytest.param(
            {"functions": {"f": {**FN, "package": {"artifact": "mine.zip"}}}},
            {"mine.zip": "mine.zip"},
            id="an artifact of a function's own",
        ),
    ],
)
def test_archives(make_service: MakeService, config: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert table(plan_package(make_service(config, FILES))) == wanted


@pytest.mark.parametrize(
    ("config", "facts"),
    [
        ({"package": {"artifact": "nope.zip"}, "functions": {"f": FN}}, ["nope.zip", "not there"]),
        ({"functions": {"f": {**FN, "package": {"artifact": "a/nope.zip"}}}}, ["a/nope.zip", "'f'"]),
        ({"layers": {"l": {"package": {"artifact": "nope.zip"}}}}, ["nope.zip", "'l'"]),
        ({"package": {"artifact": "lay"}, "functions": {"f": FN}}, ["lay", "folder"]),
        (
            {"package": {"patterns": ["!**"]}, "functions": {"f": FN}},
            ["No file matches include / exclude patterns"],
        ),
        ({"layers": {"l": {"path": "nolay"}}}, ["No file matches include / exclude patterns"]),
        ({"layers": {"l": {"name": "x"}}}, ["'l'", "path"]),
        ({"layers": {"packed": {"path": "lay"}}, "functions": {"f": FN}}, ["two archives", "packed.zip"]),
    ],
)
def test_mistakes(make_service: MakeService, config: dict[str, Any], facts: list[str]) -> None:
    with pytest.raises(ConfigErrors) as raised:
        plan_package(make_service(config, FILES))
    text = raised.value.render()
    assert all(fact in text for fact in facts)
    assert "serverless.yml:1:" in text


def test_all_mistakes_at_once(make_service: MakeService) -> None:
    config = {
        "functions": {key: {**FN, "package": {"artifact": f"{key}.zip"}} for key in ("f", "g")},
        "layers": {"l": {"path": "nolay"}},
    }
    with pytest.raises(ConfigErrors) as raised:
        plan_package(make_service(config))
    assert len(raised.value.errors) == 3


def test_patterns_without_effect_are_told(make_service: MakeService) -> None:
    plan = plan_package(make_service({"functions": {"f": {**FN, "package": {"patterns": ["a"]}}}}))
    assert ["package.patterns of the function 'f' has no effect" in str(each) for each in plan.warnings] == [
        True
    ]


def test_dotenv_files_stay_here(make_service: MakeService) -> None:
    files = {".env": "A=1", ".env.prod": "A=2", "sub/.env": "A=3"}
    assert table(plan_package(make_service({"functions": {"f": FN}}, files)))["packed.zip"] == [
        *(".env", ".env.prod", "handler.py", "sub/.env")
    ]
    with_dotenv = make_service({"useDotenv": True, "functions": {"f": FN}}, files)
    assert table(plan_package(with_dotenv))["packed.zip"] == ["handler.py", "sub/.env"]


def test_former_output_is_never_packed(make_service: MakeService) -> None:
    """v3 packs what lies in the folder of --package; then no archive could be made twice."""
    service = make_service({"functions": {"f": FN}}, {"out/old.zip": "x", ".pileus/state.db": "x"})
    plan = plan_package(service, out=service.directory / "out")
    assert table(plan) == {"packed.zip": ["handler.py"]}


NPM = {
    "package.json": json.dumps({"dependencies": {"a": "1"}, "devDependencies": {"d": "1"}}),
    "node_modules/a/package.json": "{}",
    "node_modules/d/package.json": "{}",
    "node_modules/.bin/a": "x",
    "sub/package.json": json.dumps({"devDependencies": {"z": "1"}}),
    "sub/node_modules/z/package.json": "{}",
    "sub/node_modules/y/package.json": "{}",
    "layer/package.json": json.dumps({"devDependencies": {"z": "1"}}),
    "layer/node_modules/z/package.json": "{}",
}


def test_dev_dependencies_stay_here(make_service: MakeService) -> None:
    config = {
        "package": {"patterns": ["node_modules/d/**"]},
        "layers": {"l": {"path": "layer"}},
        "functions": {"f": FN},
    }
    assert table(plan_package(make_service(config, NPM))) == {
        "packed.zip": [
            "handler.py",
            "node_modules/.bin/a",
            "node_modules/a/package.json",
            "package.json",
            "sub/node_modules/y/package.json",
            "sub/package.json",
        ],
        "l.zip": ["node_modules/z/package.json", "package.json"],
    }
    config["package"] = {"excludeDevDependencies": False, "patterns": ["!layer/**"]}
    assert "node_modules/d/package.json" in table(plan_package(make_service(config, NPM)))["packed.zip"]


def test_modes(make_service: MakeService) -> None:
    service = make_service({"functions": {"f": FN}})
    for mode in (0o744, 0o711, 0o654, 0o645, 0o600, 0o444, 0o666, 0o777, 0o500, 0o610, 0o400):
        (service.directory / f"m{mode:o}").write_text("x")
        (service.directory / f"m{mode:o}").chmod(mode)
    modes = {file.path: file.mode for file in plan_package(service).artifacts[0].files if file.path[0] == "m"}
    executable = {"m500", "m711", "m744", "m777"}
    assert modes == {path: 0o755 if path in executable else 0o644 for path in modes}


def test_outside_files_come_under_their_own_names(make_service: MakeService, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "x.py").write_text("x")
    (tmp_path / "handler.py").write_text("another")
    config = {"package": {"patterns": ["../shared/**", "../handler.py"]}, "functions": {"f": FN}}
    plan = plan_package(make_service(config))
    assert table(plan) == {"packed.zip": ["handler.py", "shared/x.py"]}
    assert plan.artifacts[0].files[0].read().startswith(b"def handle")
    assert ["both go to handler.py" in str(each) for each in plan.warnings] == [True]


def test_names_without_a_place(make_service: MakeService) -> None:
    service = make_service({"functions": {"f": FN}})
    (service.directory / "a\\..\\b").write_text("x")
    with pytest.raises(ConfigErrors, match="no place in an archive"):
        plan_package(service)


def test_plugins_change_the_plan(make_service: MakeService) -> None:
    plan = plan_package(make_service({"functions": {"f": FN}}))
    more = [FileSource.of_bytes("lib.py", b"x"), FileSource.of_bytes("handler.py", b"not the user's")]
    added = plan.adding({Target(Kind.SERVICE): more}).artifacts[0]
    assert {file.path: file.read()[:3] for file in added.files} == {"lib.py": b"x", "handler.py": b"def"}
    replaced = plan.replacing({Target(Kind.SERVICE): more}).artifacts[0]
    assert [file.path for file in replaced.files] == ["lib.py", "handler.py"]
    assert plan.of_function("f") is plan.artifacts[0]


def test_bundled_functions_are_not_looked_for(make_service: MakeService) -> None:
    config = {"package": {"individually": True, "patterns": ["!**"]}, "functions": {"f": FN}}
    assert table(plan_package(make_service(config), replaced=["f"])) == {"f.zip": []}
