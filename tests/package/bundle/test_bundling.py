"""Bundles of functions. A program stands in for esbuild: it answers as esbuild 0.28 was seen to, from the same arguments."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pileus.package import ArtifactPlan, FileSource, Kind, PackagePlan, Target
from pileus.plugins import Plugins
from pileus.service import ConfigErrors, Service, load_service

#: Writes each entry's source behind a first line with its arguments; `import "x"` in it is an external module.
ESBUILD = f"""#!{sys.executable}
import json, os, re, sys
arguments = sys.argv[1:]
options = dict(each[2:].split("=", 1) for each in arguments if each.startswith("--") and "=" in each)
out, outputs = options["outdir"], {{}}
for entry in (each for each in arguments if not each.startswith("--")):
    name, source = entry.split("=", 1)
    text = open(source).read()
    if "BROKEN" in text:
        sys.stderr.write("X [ERROR] Unexpected end of file\\n\\n    " + source + ":1:1\\n")
        sys.exit(1)
    file = os.path.join(out, name + ".js")
    os.makedirs(os.path.dirname(file), exist_ok=True)
    open(file, "w").write("// " + options.get("target", "") + "\\n" + text)
    inside = os.path.relpath(file, os.getcwd())
    outputs[inside] = {{
        "entryPoint": source,
        "imports": [{{"path": each, "kind": "require-call", "external": True}} for each in re.findall('import "(.*?)"', text)],
    }}
    if "--sourcemap" in arguments:
        source_there = os.path.relpath(source, os.path.dirname(file))
        open(file + ".map", "w").write(json.dumps({{"version": 3, "sources": [source_there], "mappings": ""}}))
        outputs[inside + ".map"] = {{"imports": []}}
json.dump({{"outputs": outputs}}, open(options["metafile"], "w"))
"""
YAML = """
service: shop
plugins: [%s]
provider: {name: aws, runtime: nodejs20.x}
package: {patterns: ['data/**', '!data/secret*']}
custom: %s
functions:
  one: {handler: src/one.handler}
  two: {handler: src/sub/two.handler, runtime: nodejs18.x}
"""
SOURCES = {
    "src/one.ts": 'import "pg"; import "node:fs"; import "fs/promises"; import "aws-sdk"',
    "src/sub/two.js": "export const two = 2",
    "data/rows.csv": "1",
    "data/secret.csv": "2",
    "README.md": "not for archives",
}
PACKAGES = {
    "pg": {"dependencies": {"pg-pool": "1"}, "peerDependencies": {"pg-native": "3"}},
    "pg-pool": {"dependencies": {"pg": "1"}},
    "unused": {},
    "esbuild": {},
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name, described in PACKAGES.items():
        folder = tmp_path / "node_modules" / name
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(json.dumps({"name": name, **described}))
        (folder / "index.js").write_text(name)
    program = tmp_path / "node_modules" / ".bin" / "esbuild"
    program.parent.mkdir()
    program.write_text(ESBUILD)
    program.chmod(0o755)
    return tmp_path


def loaded(
    project: Path,
    plugin: str = "serverless-esbuild",
    custom: str = "{esbuild: {external: [pg]}}",
    more: str = "",
) -> Any:
    (project / "serverless.yml").write_text(YAML % (plugin, custom) + more)
    return load_service(project, options={}, environ={}, extensions=Plugins())


def packaged(
    service: Service, *, individually: bool = True, files: tuple[FileSource, ...] = ()
) -> dict[str, dict[str, FileSource]]:
    keys = tuple(service.functions)
    artifacts = (
        tuple(ArtifactPlan(Target(Kind.FUNCTION, key), key, (key,), files) for key in keys)
        if individually
        else (ArtifactPlan(Target(Kind.SERVICE), "shop", keys, files),)
    )
    assert service.extensions is not None
    plan = service.extensions.packaged(PackagePlan(service, artifacts), lambda text: None)
    return {artifact.file_name: {file.path: file for file in artifact.files} for artifact in plan.artifacts}


def test_an_archive_holds_the_bundle_its_packages_and_named_files(project: Path) -> None:
    archives = packaged(loaded(project).service)
    assert set(archives["one"]) == {
        "src/one.js",
        "data/rows.csv",
        *(
            f"node_modules/{name}/{file}"
            for name in ("pg", "pg-pool")
            for file in ("package.json", "index.js")
        ),
    }
    assert set(archives["two"]) == {"src/sub/two.js", "data/rows.csv"}


def test_one_archive_holds_all(project: Path) -> None:
    [archive] = packaged(loaded(project).service, individually=False).values()
    assert {"src/one.js", "src/sub/two.js", "node_modules/pg/index.js"} <= set(archive)


def test_the_target_is_the_runtime(project: Path) -> None:
    archives = packaged(loaded(project).service)
    assert archives["one"]["src/one.js"].read().startswith(b"// node20\n")
    assert archives["two"]["src/sub/two.js"].read().startswith(b"// node18\n")


def test_source_maps_name_sources_from_the_place_in_the_archive(project: Path) -> None:
    service = loaded(project, custom="{esbuild: {sourcemap: true, exclude: '*'}}").service
    archives = packaged(service)
    assert json.loads(archives["two"]["src/sub/two.js.map"].read())["sources"] == ["two.js"]
    assert "node_modules/pg/index.js" not in archives["one"]


@pytest.mark.parametrize(
    ("plugin", "custom", "packages"),
    [
        ("serverless-plugin-typescript", "{}", True),
        (
            "serverless-webpack",
            "{webpack: {includeModules: {forceInclude: [unused], forceExclude: [pg]}}}",
            False,
        ),
        ("serverless-bundle", "{bundle: {externals: [pg], sourcemaps: false}}", True),
    ],
)
def test_other_bundlers_are_done_by_esbuild(project: Path, plugin: str, custom: str, packages: bool) -> None:
    archive = packaged(loaded(project, plugin, custom).service)["one"]
    assert "src/one.js" in archive
    assert ("node_modules/pg/index.js" in archive) == packages


@pytest.mark.parametrize(
    ("plugin", "custom", "words"),
    [
        (
            "serverless-webpack",
            "{webpack: {webpackConfig: web.js}}",
            "web.js is a program for webpack and is not run",
        ),
        ("serverless-webpack", "{}", "webpack.config.js is a program for webpack"),
        (
            "serverless-bundle",
            "{bundle: {copyFiles: [{from: a}]}}",
            "'copyFiles' of serverless-bundle has no effect",
        ),
    ],
)
def test_what_is_lost_is_told(project: Path, plugin: str, custom: str, words: str) -> None:
    [warning] = loaded(project, plugin, custom).warnings
    assert words in warning.message


def test_a_function_may_stay_as_it_is(project: Path) -> None:
    (project / "plain.js").write_text("exports.h = 1")
    service = loaded(project, more="  three: {handler: plain.h, skipEsbuild: true}\n").service
    source = FileSource.of_file("plain.js", project / "plain.js")
    [archive] = packaged(service, individually=False, files=(source,)).values()
    assert archive["plain.js"].read() == b"exports.h = 1"
    assert "src/one.js" in archive


def test_warmers_are_not_bundled(project: Path) -> None:
    custom = "{esbuild: {external: [pg]}, warmup: {default: {enabled: true}}}"
    service = loaded(project, "serverless-esbuild, serverless-plugin-warmup", custom).service
    archives = packaged(service)
    assert set(archives["warmUpPluginDefault"]) == {".warmup/default/index.mjs"}
    assert "src/one.js" in archives["one"]


def test_an_archive_shared_with_python_keeps_its_files(project: Path) -> None:
    service = loaded(project, more="  py: {handler: py.h, runtime: python3.12}\n").service
    [archive] = packaged(service, individually=False, files=(FileSource.of_bytes("py.py", b"1"),)).values()
    assert {"py.py", "src/one.js"} <= set(archive)


def test_an_entry_of_its_own(project: Path) -> None:
    service = loaded(
        project, more="  three: {handler: /opt/x/handler.main, esbuildEntrypoint: ./src/one.handler}\n"
    ).service
    with pytest.raises(ConfigErrors, match="cannot lie in the archive"):
        packaged(service)
    service = loaded(
        project, more="  three: {handler: lib/x.main, esbuildEntrypoint: ./src/one.handler}\n"
    ).service
    assert "lib/x.js" in packaged(service)["three"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("rm node_modules/.bin/esbuild", "npm install --save-dev esbuild"),
        ("rm src/one.ts", "the function 'one' has no source: there is no src/one.ts"),
        ("write src/one.ts BROKEN", "[ERROR] Unexpected end of file"),
        ('write src/one.ts import "gone"', "needs the package 'gone', which is not installed"),
    ],
)
def test_mistakes_are_told_with_their_place(project: Path, change: str, words: str) -> None:
    verb, name, text = f"{change} ".split(" ", 2)
    (project / name).unlink()
    if verb == "write":
        (project / name).write_text(text)
    service = loaded(project).service
    with pytest.raises(ConfigErrors) as raised:
        packaged(service)
    assert words in raised.value.render()
    assert "serverless.yml:" in raised.value.render()


def test_a_handler_cannot_lead_out_of_the_service(project: Path) -> None:
    (project.parent / "outside.js").write_text("1")
    service = loaded(project, more="  three: {handler: ../outside.handler}\n").service
    with pytest.raises(ConfigErrors, match="has no source"):
        packaged(service)


def test_the_same_bytes_from_any_place(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    import shutil

    other = tmp_path_factory.mktemp("other") / "deeper" / "still"
    shutil.copytree(project, other)
    custom = "{esbuild: {external: [pg], sourcemap: true}}"
    one, two = (packaged(loaded(folder, custom=custom).service) for folder in (project, other))
    assert {name: {path: file.read() for path, file in files.items()} for name, files in one.items()} == {
        name: {path: file.read() for path, file in files.items()} for name, files in two.items()
    }


def test_how_functions_are_built_where_they_run_from_their_folder(project: Path) -> None:
    service = loaded(project, more="  three: {handler: src/one.other, skipEsbuild: true}\n").service
    assert service.extensions is not None
    builds = service.extensions.built(service)
    assert {key: (build.source, build.place) for key, build in builds.items()} == {
        "one": ("src/one.ts", "src/one"),
        "two": ("src/sub/two.js", "src/sub/two"),
    }
    assert {"--bundle", "--platform=node", "--external:pg", "--target=node20"} <= set(builds["one"].arguments)
    assert "--target=node18" in builds["two"].arguments
