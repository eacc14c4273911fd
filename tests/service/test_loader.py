"""Loading whole services: variables from every source, marks across files, phases, and what is read."""

import shutil
from pathlib import Path

import pytest

from pileus.service import ConfigErrors, LoadedService, load_service
from pileus.service.tree import Json
from pileus.service.variables.source import Place

BASE = "service: demo\nprovider: {name: aws, runtime: python3.12}\n"


def write(folder: Path, text: str, **files: str) -> Path:
    (folder / "serverless.yml").write_text(text)
    for name, content in files.items():
        file = folder / name.replace("__", "/").replace("_DOT_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return folder


def load(folder: Path, text: str, environ: dict[str, str] | None = None, **options: str) -> LoadedService:
    return load_service(write(folder, text), options=options, environ=environ or {})


def custom(folder: Path, lines: str, environ: dict[str, str] | None = None, **options: str) -> Json:
    text = BASE + "custom:\n" + "".join(f"  {line}\n" for line in lines.splitlines())
    return load(folder, text, environ, **options).service.config["custom"]


def errors(folder: Path, text: str, **options: str) -> list[tuple[str, int, int, str]]:
    with pytest.raises(ConfigErrors) as caught:
        load(folder, text, **options)
    found = [(error, error.mark) for error in caught.value.errors]
    return [(mark.file.name, mark.line, mark.column, error.message) for error, mark in found if mark]


class Remote:
    """A cloud with one of everything."""

    parallel = True

    def account_id(self, where: Place) -> str:
        return "123456789012"

    def stack_output(self, stack: str, output: str, where: Place) -> str | None:
        return f"{stack}/{output}/{where.region}" if stack == "s" else None

    def parameter(self, name: str, where: Place, *, decrypt: bool) -> tuple[str, str] | None:
        values = {
            "/p": ("String", "v"),
            "/l": ("StringList", "a,b"),
            "/object": ("SecureString", '{"k": 1}'),
            "/number": ("SecureString", "12" if decrypt else "AQIC"),
            "/aws/reference/secretsmanager/x": ("SecureString", '{"k": 1}'),
        }
        return values.get(name)

    def object_text(self, bucket: str, key: str, where: Place) -> str | None:
        return f"{bucket}:{key}"


def test_every_source(tmp_path: Path) -> None:
    text = BASE + (
        "params: {default: {p: 'd-${sls:stage}', q: default}, prod: {q: prod}}\n"
        "custom:\n"
        "  own: {a: [x, {b: '${env:E}'}]}\n"
        "  self: ${self:custom.own.a.1.b}\n"
        "  opt: ${opt:stage}\n"
        "  p: ${param:p}\n"
        "  q: ${param:q}\n"
        "  r: ${param:r}\n"
        "  bool: ${strToBool('1')}\n"
        "  account: ${aws:accountId}\n"
        "  region: ${aws:region}\n"
        "  cf: ${cf(eu-west-1):s.Out}\n"
        "  none: ${cf:t.Out, 'no stack'}\n"
        "  ssm: ${ssm:/p}\n"
        "  list: ${ssm:/l}\n"
        "  raw: ${ssm(raw):/l}\n"
        "  secret: ${ssm:/aws/reference/secretsmanager/x}\n"
        "  object: ${ssm:/object}\n"
        "  text: ${ssm(raw):/object}\n"
        "  number: ${ssm:/number}\n"
        "  sealed: ${ssm(noDecrypt, eu-west-1):/number}\n"
        "  s3: ${s3:b/k/l.txt}\n"
        "  env: ${env:E}-${env:N, 'no'}\n"
    )
    loaded = load_service(
        write(tmp_path, text),
        options={"stage": "prod"},
        params={"r": "cli"},
        environ={"E": "value", "AWS_REGION": "eu-north-1"},
        resolver=Remote(),
    )
    found = dict(loaded.service.config["custom"])
    assert found.pop("own") == {"a": ["x", {"b": "value"}]}
    assert found == {
        "self": "value",
        "opt": "prod",
        "p": "d-prod",
        "q": "prod",
        "r": "cli",
        "bool": True,
        "account": "123456789012",
        "region": "us-east-1",
        "cf": "s/Out/eu-west-1",
        "none": "no stack",
        "ssm": "v",
        "list": ["a", "b"],
        "raw": "a,b",
        "secret": {"k": 1},
        "object": {"k": 1},
        "text": '{"k": 1}',
        "number": "12",
        "sealed": "AQIC",
        "s3": "b:k/l.txt",
        "env": "value-no",
    }


def test_a_source_that_needs_a_cloud_says_so(tmp_path: Path) -> None:
    found = errors(tmp_path, BASE + "custom:\n  a: ${ssm:/p}\n  b: ${cf:s.O}\n")
    assert [(line, column) for _, line, column, _ in found] == [(4, 6), (5, 6)]
    assert all("cloud" in message for *_, message in found)


def test_values_from_files_bring_their_marks(tmp_path: Path) -> None:
    write(
        tmp_path,
        "",
        a_DOT_yml="deep:\n  handler: a.b\n  memorysize: 1\n",
        b_DOT_json='{"x": {"y": ["${self:service}"]}}',
    )
    text = (
        BASE
        + "configValidationMode: error\nfunctions:\n  fn: ${file(a.yml):deep}\ncustom: ${file(b.json):x}\n"
    )
    assert [found[:3] for found in errors(tmp_path, text)] == [("a.yml", 3, 3)]
    loaded = load(tmp_path, text.replace("configValidationMode: error\n", ""))
    assert loaded.service.config["custom"] == {"y": ["demo"]}
    assert {file.name for file in loaded.files} == {"serverless.yml", "a.yml", "b.json"}
    assert [warning.message for warning in loaded.warnings] == ["unknown property 'memorysize'"]
    assert loaded.service.mark(("custom", "y", 0)).file.name == "b.json"


def test_all_mistakes_of_a_phase_at_once(tmp_path: Path) -> None:
    text = (
        BASE
        + "custom:\n  a: x-${env:NO}\n  b: ${self:custom.c}\n  c: ${self:custom.b}\n  d: ${vault:x}\n  e: ${self:custom.a}\n"
    )
    assert [(line, column) for _, line, column, _ in errors(tmp_path, text)] == [(4, 8), (5, 6), (7, 6)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("a: ${self:custom.a}", "circle"),
        ("a: ${self:custom}", "circle"),
        ("a: ${self:}", "circle"),
        ("a: {b: '${self:custom.a}'}", "circle"),
        ("a: ${file()}", "file needs a path"),
        ("a: ${self:serviec}", "no 'serviec'"),
        ("a: {x: 1}\nb: t-${self:custom.a}", "an object"),
    ],
)
def test_mistakes_in_variables(tmp_path: Path, lines: str, message: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        custom(tmp_path, lines)
    assert message in caught.value.errors[0].message


def test_a_misspelt_address_is_hinted_at(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        custom(tmp_path, "tableName: x\na: ${self:custom.tablename}")
    assert caught.value.errors[0].hint == "did you mean 'custom.tableName'?"


def test_an_explicit_null_is_no_value_but_a_literal_null_is(tmp_path: Path) -> None:
    assert custom(tmp_path, "n: null\na: ${self:custom.n, 'fallback'}\nb: ${env:X, null}") == {
        "n": None,
        "a": "fallback",
        "b": None,
    }


def test_dotenv(tmp_path: Path) -> None:
    write(
        tmp_path, "", _DOT_env="A=base\nB='x y' # c\nC=\"l\\nm\"\nD=${A}-$B\n", _DOT_env_DOT_prod="A=prod\n"
    )
    text = (
        BASE + "useDotenv: true\ncustom: {a: '${env:A}', b: \"${env:B, 'none'}\", d: \"${env:D, 'none'}\"}\n"
    )
    assert load(tmp_path, text).service.config["custom"] == {"a": "base", "b": "x y", "d": "base-x y"}
    assert load(tmp_path, text, stage="prod").service.config["custom"] == {
        "a": "prod",
        "b": "none",
        "d": "none",
    }
    assert load(tmp_path, text, {"A": "process"}).service.config["custom"]["a"] == "process"


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js")
def test_javascript_files(tmp_path: Path) -> None:
    write(
        tmp_path,
        "",
        v_DOT_js="console.log('noise');\nmodule.exports = {n: 3, f: async ({resolveVariable}) => resolveVariable('self:service')};\n",
        bad_DOT_js="throw new Error('broken');\n",
    )
    environ = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    assert custom(tmp_path, "a: ${file(v.js):n}\nb: ${file(v.js):f}", environ) == {"a": 3, "b": "demo"}
    with pytest.raises(ConfigErrors) as caught:
        custom(tmp_path, "a: ${file(bad.js):n}", environ)
    assert "broken" in caught.value.errors[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("- a\n", "must hold an object"),
        ("provider: aws\n", "'service' is missing"),
        ("service: a\n", "'provider' is missing"),
        ("service: {name: a}\nprovider: aws\n", "must be a name"),
        ("service: a\nprovider: [aws]\n", "must be an object"),
        (BASE + "frameworkVersion: '2'\n", "does not include"),
        (BASE + "functions: text\n", "must be an object"),
        (BASE + "functions:\n  a: {timeout: 3}\n", "neither 'handler' nor 'image'"),
        (BASE + "resources: text\n", "must be an object"),
    ],
)
def test_files_without_form(tmp_path: Path, text: str, message: str) -> None:
    assert message in errors(tmp_path, text)[0][3]


def test_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_service(tmp_path, options={}, environ={})
    assert "no serverless.yml" in caught.value.errors[0].message


def test_rendering(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        BASE + "configValidationMode: error\nfunctions:\n  fn:\n    handler: a.b\n    memorysize: 512\n",
    )
    with pytest.raises(ConfigErrors) as caught:
        load_service(folder, options={}, environ={})
    assert caught.value.render(folder).splitlines() == [
        "serverless.yml:7:5: error: unknown property 'memorysize' (at functions.fn.memorysize)",
        "  7 |     memorysize: 512",
        "    |     ^^^^^^^^^^",
        "  hint: did you mean 'memorySize'?",
    ]


def test_coercion(tmp_path: Path) -> None:
    text = BASE + (
        "functions:\n"
        "  fn:\n"
        "    handler: a.b\n"
        "    timeout: '12'\n"
        "    environment: {N: 1, B: true, Z: null, S: x}\n"
        "    layers: arn:aws:lambda:us-east-1:123456789012:layer:x:1\n"
        "    dependsOn: Q\n"
        "resources:\n"
        "  Resources: {Q: {Type: 'AWS::SQS::Queue', DependsOn: T}}\n"
    )
    loaded = load(tmp_path, text)
    fn = loaded.service.config["functions"]["fn"]
    assert loaded.warnings == ()
    assert fn["timeout"] == 12
    assert list(fn["environment"].items()) == [("N", "1"), ("B", "true"), ("S", "x"), ("Z", None)]
    assert fn["layers"] == ["arn:aws:lambda:us-east-1:123456789012:layer:x:1"]
    assert fn["dependsOn"] == ["Q"]
    assert loaded.service.config["resources"]["Resources"]["Q"]["DependsOn"] == ["T"]


def test_validation_can_be_forced(tmp_path: Path) -> None:
    folder = write(tmp_path, BASE + "configValidationMode: off\nnope: 1\n")
    assert load_service(folder, options={}, environ={}).warnings == ()
    assert len(load_service(folder, options={}, environ={}, validation="warn").warnings) == 1
    with pytest.raises(ConfigErrors):
        load_service(folder, options={}, environ={}, validation="error")
