"""Configurations and values that are programs: what they may export, how they fail, and where."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pileus.service import ConfigError, ConfigErrors, LoadedService, load_service
from pileus.service.programs import Programs
from pileus.service.tree import Json

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js")
BASE = "service: demo\nprovider: {name: aws, runtime: python3.12}\n"
OBJECT = "{service: 'demo', provider: {name: 'aws', runtime: 'python3.12'}, custom: {a: '${self:service}', u: undefined}}"
PYTHON = '{"service": "demo", "provider": {"name": "aws", "runtime": "python3.12"}, "custom": {"a": "${self:service}"}}'


def load(folder: Path, **options: str) -> LoadedService:
    return load_service(folder, options=options, environ=dict(os.environ))


def custom(folder: Path, lines: str, **files: str) -> Json:
    for name, text in files.items():
        (folder / name.replace("_DOT_", ".")).write_text(text)
    text = BASE + "custom:\n" + "".join(f"  {line}\n" for line in lines.splitlines())
    (folder / "serverless.yml").write_text(text)
    return load(folder).service.config["custom"]


def mistakes(load_it: Callable[[], object]) -> list[tuple[str, int, int, str]]:
    with pytest.raises(ConfigErrors) as caught:
        load_it()
    return [
        (error.mark.file.name, error.mark.line, error.mark.column, error.message)
        for error in caught.value.errors
        if error.mark
    ]


@needs_node
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("serverless.js", f"module.exports = {OBJECT};"),
        ("serverless.js", f"module.exports = Promise.resolve({OBJECT});"),
        ("serverless.js", f"module.exports = async () => ({OBJECT});"),
        ("serverless.js", f"console.log('noise'); exports.__esModule = true; exports.default = {OBJECT};"),
        ("serverless.cjs", f"module.exports = {OBJECT};"),
        ("serverless.mjs", f"export default {OBJECT};"),
    ],
)
def test_a_configuration_in_javascript(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    loaded = load(tmp_path)
    assert loaded.service.file.name == name
    assert loaded.service.config["custom"] == {"a": "demo"}


@pytest.mark.parametrize(
    "text",
    [
        f"serverless = {PYTHON}",
        f"def serverless():\n    print('noise')\n    return {PYTHON}",
        f"async def serverless(context):\n    assert context.options == {{'stage': 'x'}}\n    return {PYTHON}",
        f"from beside import service as serverless  # {PYTHON}",
    ],
)
def test_a_configuration_in_python(tmp_path: Path, text: str) -> None:
    (tmp_path / "serverless.py").write_text(text)
    (tmp_path / "beside.py").write_text(f"service = {PYTHON}")
    loaded = load(tmp_path, stage="x")
    assert loaded.service.config["custom"] == {"a": "demo"}
    assert loaded.service.stage == "x"


def test_formats_go_before_programs(tmp_path: Path) -> None:
    (tmp_path / "serverless.py").write_text("raise SystemExit")
    (tmp_path / "serverless.json").write_text('{"service": "j", "provider": {"name": "aws"}}')
    assert load(tmp_path).service.name == "j"
    (tmp_path / "serverless.yaml").write_text(BASE)
    assert load(tmp_path).service.name == "demo"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x = 1\nserverless = {\n", 2, "is not valid Python"),
        ("def serverless():\n    x = 1\n    return missing\n", 3, "threw NameError"),
        ("import nowhere_at_all\n", 1, "threw ModuleNotFoundError"),
        ("import sys\nsys.exit(3)\n", 2, "threw SystemExit: 3"),
        ("import os\nos._exit(0)\n", 1, "ended its process"),
        ("serverless = {'a': {1, 2}}\n", 1, "JSON cannot hold"),
        ("serverless = {'a': float('nan')}\n", 1, "JSON cannot hold"),
        ("other = {}\n", 1, "has no name 'serverless'"),
        ("serverless = 'text'\n", 1, "must hold an object"),
        (
            "def serverless(context):\n    return context.resolve_variable('self:service')\n",
            2,
            "cannot be asked",
        ),
    ],
)
def test_mistakes_in_a_python_configuration(tmp_path: Path, text: str, line: int, words: str) -> None:
    (tmp_path / "serverless.py").write_text(text)
    ((name, at, _, message),) = mistakes(lambda: load(tmp_path))
    assert (name, at) == ("serverless.py", line)
    assert words in message


def test_a_mistake_in_what_a_program_gives_points_into_it(tmp_path: Path) -> None:
    text = (
        "serverless = {\n    'service': 'demo',\n    'configValidationMode': 'error',\n"
        "    'provider': {'name': 'aws', 'memorysize': 5},\n"
        "    'functions': {'fn': {'handler': 'a.b', 'timeout': 'x'}},\n}\n"
    )
    (tmp_path / "serverless.py").write_text(text)
    assert [found[:3] for found in mistakes(lambda: load(tmp_path))] == [
        ("serverless.py", 4, 34),
        ("serverless.py", 5, 45),
    ]


@needs_node
def test_values_of_javascript(tmp_path: Path) -> None:
    text = (
        "const seen = []; seen.push(1);\n"
        "module.exports = {n: 3, list: [{v: 'x'}], f: () => ({r: '${self:service}'}), left: () => 1,\n"
        "  ask: async ({resolveVariable, resolveConfigurationProperty}) =>\n"
        "    [await resolveVariable('file(other.js):k'), await resolveConfigurationProperty(['custom', 'n'])],\n"
        "  count: () => seen.length};\n"
    )
    lines = (
        "n: ${file(v.js):n}\nlist: ${file(v.js):list.0.v}\nf: ${file(v.js):f}\ninner: ${file(v.js):f.r}\n"
        "ask: ${file(v.js):ask}\nnone: ${file(v.js):nope, 'fallback'}\nmodule: ${file(m.mjs):named}\n"
        "count: ${file(v.js):count}\ntext: ${file(m.mjs)}"
    )
    module = "export const named = 'from a module';"
    found = custom(
        tmp_path, lines, v_DOT_js=text, other_DOT_js="exports.k = '${sls:stage}';", m_DOT_mjs=module
    )
    assert found == {
        "n": 3,
        "list": "x",
        "f": {"r": "demo"},
        "inner": "demo",
        "ask": ["dev", 3],
        "none": "fallback",
        "module": "from a module",
        "count": 1,
        "text": module,
    }


def test_values_of_python(tmp_path: Path) -> None:
    text = (
        "import sys\nname = 'demo'\ntable = {'keys': ['a', ('b', 1)]}\n"
        "def stage(context):\n    return context.resolve_variable('sls:stage')\n"
        "def place():\n    return sys.prefix != ''\n"
    )
    lines = (
        "name: ${file(v.py):name}\nkey: ${file(v.py):table.keys.1}\nstage: ${file(v.py):stage}\n"
        "none: ${file(v.py):nope, 'no'}\nplace: ${file(v.py):place}\nwhole: ${file(w.py)}"
    )
    assert custom(tmp_path, lines, v_DOT_py=text, w_DOT_py="x = 1\n") == {
        "name": "demo",
        "key": ["b", 1],
        "stage": "dev",
        "none": "no",
        "place": True,
        "whole": "x = 1\n",
    }


@needs_node
@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("throw new Error('broken');", (1, 7), "broken"),
        ("\nmodule.exports = {\n", (3, 1), "Unexpected end"),
        ("\n\nexports.f = () => { throw new Error('later'); };", (3, 27), "later"),
        ("exports.f = async () => { throw new Error('rejected'); };", (1, 33), "rejected"),
        ("require('nowhere-at-all');", (1, 1), "nowhere-at-all"),
        ("exports.f = new Date(0);", (1, 1), "a Date is no configuration"),
        ("exports.f = {a: 1n};", (1, 1), "BigInt"),
        ("const a = {}; a.a = a; exports.f = a;", (1, 1), "circular"),
        ("exports.f = async ({resolveVariable}) => resolveVariable('env:NO_SUCH');", (1, 1), "NO_SUCH"),
        ("process.exit(3);", (1, 1), "ended its process"),
    ],
)
def test_mistakes_in_javascript(tmp_path: Path, text: str, place: tuple[int, int], words: str) -> None:
    ((name, line, column, message),) = mistakes(lambda: custom(tmp_path, "a: ${file(v.js):f}", v_DOT_js=text))
    assert name == "v.js"
    assert words in message
    assert (line, column) == place


@pytest.mark.parametrize(("name", "text"), [("v.py", "while True: pass"), ("v.js", "while (true);")])
def test_a_program_that_hangs_is_ended(tmp_path: Path, name: str, text: str) -> None:
    if name == "v.js" and shutil.which("node") is None:
        pytest.skip("no Node.js")
    (tmp_path / name).write_text(text)
    programs = Programs(tmp_path, dict(os.environ), {}, seconds=0.3)
    with pytest.raises(ConfigError, match=r"within 0\.3 seconds"):
        programs.value(tmp_path / name, ("f",), lambda variable: None)
    programs.close()


def test_without_node(tmp_path: Path) -> None:
    (tmp_path / "serverless.js").write_text("module.exports = {};")
    with pytest.raises(ConfigErrors, match="no node on the PATH"):
        load_service(tmp_path, options={}, environ={"PATH": str(tmp_path)})


@needs_node
@pytest.mark.parametrize(
    ("package", "main", "text"),
    [
        ("esbuild", "index.js", "exports.transformSync = (code) => ({code: STRIP});"),
        ("typescript", "index.js", "exports.ModuleKind = exports.ScriptTarget = {}; exports.transpileModule = (code) => ({outputText: STRIP});"),
        ("tsx", "cjs.js", "const fs = require('node:fs'); require('node:module')._extensions['.ts'] = (m, name) => { const code = fs.readFileSync(name, 'utf8'); m._compile(STRIP, name); };"),
        ("ts-node", "index.js", "const fs = require('node:fs'); exports.register = () => { require('node:module')._extensions['.ts'] = (m, name) => { const code = fs.readFileSync(name, 'utf8'); m._compile(STRIP, name); }; };"),
    ],
)  # fmt: skip
def test_typescript_by_the_projects_own_compiler(tmp_path: Path, package: str, main: str, text: str) -> None:
    """Stand-ins with the interfaces of the compilers, so that the test needs no network."""
    folder = tmp_path / "node_modules" / package
    folder.mkdir(parents=True)
    manifest = '{"exports": {"./cjs": "./cjs.js"}}' if package == "tsx" else '{"main": "index.js"}'
    (folder / "package.json").write_text(manifest)
    strip = "code.replace(/: object/g, '').replace('export default', 'exports.__esModule = true; exports.default =')"
    (folder / main).write_text(text.replace("STRIP", strip))
    (tmp_path / "serverless.ts").write_text(f"const config: object = {OBJECT};\nexport default config;\n")
    assert load(tmp_path).service.config["custom"] == {"a": "demo"}


@needs_node
def test_typescript_without_a_compiler(tmp_path: Path) -> None:
    (tmp_path / "serverless.ts").write_text(f"const config: object = {OBJECT};\nmodule.exports = config;\n")
    try:
        load(tmp_path)  # a node that strips types by itself
    except ConfigErrors as error:
        assert "nothing that compiles it" in error.errors[0].message
        assert "tsx" in (error.errors[0].hint or "")
