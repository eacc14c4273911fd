"""Packages of development, as `npm ls` tells them apart (observed with Serverless Framework 3.40.0 and npm 10)."""

import json
from pathlib import Path

from pileus.package.development import development_only


def install(folder: Path, packages: dict[str, dict[str, object]]) -> None:
    for path, manifest in packages.items():
        target = folder / path
        target.mkdir(parents=True, exist_ok=True)
        (target / "package.json").write_text(
            json.dumps({"name": path.rpartition("node_modules/")[2], **manifest})
        )


def needs(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "1.0.0")


def test_what_only_development_needs(tmp_path: Path) -> None:
    packages: dict[str, dict[str, object]] = {
        "": {
            "dependencies": needs("a", "@s/p", "opt", "both", "missing"),
            "devDependencies": needs("d", "b", "@s/q", "both", "link"),
            "optionalDependencies": needs("o"),
        },
        "node_modules/a": {
            "dependencies": needs("b", "n"),
            "devDependencies": needs("ad"),
            "bin": {"abin": "x.js"},
        },
        "node_modules/a/node_modules/n": {},
        "node_modules/b": {},
        "node_modules/both": {},
        "node_modules/d": {
            "dependencies": needs("e", "b", "n"),
            "peerDependencies": needs("pe"),
            "bin": {"dbin": "x.js", "d2": "y.js"},
        },
        "node_modules/e": {"dependencies": needs("d"), "bin": "./e.js"},
        "node_modules/n": {},
        "node_modules/pe": {},
        "node_modules/@s/p": {"peerDependencies": needs("pp"), "optionalDependencies": needs("po")},
        "node_modules/@s/q": {"bin": "./q.js"},
        "node_modules/pp": {},
        "node_modules/po": {},
        "node_modules/o": {},
        "node_modules/opt": {"peerDependencies": needs("d2")},
        "node_modules/d2": {},
        "node_modules/extraneous": {},
        "packages/link": {},
    }
    install(tmp_path, packages)
    (tmp_path / "node_modules" / "link").symlink_to("../packages/link")
    assert development_only(str(tmp_path)) == {
        "node_modules/@s/q",
        "node_modules/.bin/q",
        "node_modules/both",  # named in both: npm counts it as development's
        "node_modules/d",
        "node_modules/.bin/dbin",
        "node_modules/.bin/d2",
        "node_modules/e",
        "node_modules/.bin/e",
        "node_modules/n",  # a's own n is another
        "node_modules/pe",
        "node_modules/link",
    }


def test_manifests_that_cannot_be_read(tmp_path: Path) -> None:
    assert development_only(str(tmp_path)) == frozenset()
    for text in (
        "{bad",
        "[]",
        '{"devDependencies": ["x"]}',
        '{"devDependencies": {"../../x": "1", "/etc": "1"}}',
    ):
        (tmp_path / "package.json").write_text(text)
        assert development_only(str(tmp_path)) == frozenset()
