"""custom.esbuild → arguments of esbuild's command line, whose names and forms are those of https://esbuild.github.io/api/."""

from pathlib import Path
from typing import Any

import pytest

from pileus.package.bundle import esbuild_settings
from pileus.service import ConfigErrors, Service, load_service

PATH = ("custom", "esbuild")
DEFAULT = ["--bundle", "--platform=node", "--external:aws-sdk"]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    (tmp_path / "serverless.yml").write_text("service: shop\nprovider: {name: aws}\ncustom: {esbuild: {}}\n")
    return load_service(tmp_path, options={}, environ={}).service


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, DEFAULT),
        ({"minify": True, "sourcemap": True}, [*DEFAULT, "--minify", "--sourcemap"]),
        ({"minify": False, "sourcemap": "linked"}, [*DEFAULT, "--sourcemap=linked"]),
        ({"platform": "neutral"}, ["--bundle", "--platform=neutral", "--external:aws-sdk"]),
        ({"format": "esm", "keepNames": True}, [*DEFAULT, "--format=esm", "--keep-names"]),
        ({"external": ["pg", "@a/b"]}, [*DEFAULT, "--external:pg", "--external:@a/b"]),
        ({"exclude": ["pg"]}, ["--bundle", "--platform=node", "--external:pg"]),
        ({"exclude": "*"}, ["--bundle", "--platform=node", "--packages=external"]),
        ({"define": {"process.env.A": '"x"'}}, [*DEFAULT, '--define:process.env.A="x"']),
        ({"loader": {".png": "base64"}}, [*DEFAULT, "--loader:.png=base64"]),
        ({"mainFields": ["module", "main"]}, [*DEFAULT, "--main-fields=module,main"]),
        ({"inject": ["./a.js", "./b.js"]}, [*DEFAULT, "--inject:./a.js", "--inject:./b.js"]),
        ({"drop": ["console"]}, [*DEFAULT, "--drop:console"]),
        ({"banner": {"js": "// mine"}}, [*DEFAULT, "--banner:js=// mine"]),
        ({"treeShaking": False}, [*DEFAULT, "--tree-shaking=false"]),
        ({"outputFileExtension": ".mjs"}, [*DEFAULT, "--out-extension:.js=.mjs"]),
        ({"packager": "pnpm", "concurrency": 3, "watch": {"pattern": "x"}}, DEFAULT),
        ({"bundle": False}, ["--platform=node"]),
    ],
)
def test_arguments(service: Service, options: dict[str, Any], arguments: list[str]) -> None:
    assert sorted(esbuild_settings(service, options, PATH).arguments) == sorted(arguments)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"plugins": "plugins.js"}, "'plugins' cannot be used here"),
        ({"config": "./esbuild.config.js"}, "'config' cannot be used here"),
        ({"minfy": True}, "did you mean 'minify'?"),
        ({"nonsense": 1, "config": "x"}, "esbuild has no option 'nonsense'"),
    ],
)
def test_what_is_refused(service: Service, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        esbuild_settings(service, options, PATH)
    assert words in raised.value.render()


@pytest.mark.parametrize("name", ["skipBuild", "packagerOptions", "metafile"])
def test_what_has_no_effect_is_told(service: Service, name: str) -> None:
    [warning] = esbuild_settings(service, {name: {"scripts": "x"}}, PATH).warnings
    assert f"'{name}' has no effect" in warning.message


@pytest.mark.parametrize(
    ("options", "target"),
    [({}, ""), ({"target": "node18"}, "node18"), ({"target": ["es2020", "node18"]}, "es2020,node18")],
)
def test_target(service: Service, options: dict[str, Any], target: str) -> None:
    assert esbuild_settings(service, options, PATH).target == target
