"""What a configuration becomes, and which are refused: observed of Serverless Framework 3.40.0 in black-box runs.

The texts are our own; the expected values and verdicts are what `serverless print` and `package` showed for them.
"""

import json
from pathlib import Path

import pytest

from pileus.service import ConfigErrors, LoadedService, load_service
from pileus.service.shown import shown
from pileus.service.tree import Json

BASE = "service: demo\nprovider: {name: aws, runtime: python3.11}\n"


def load(
    folder: Path, text: str, files: dict[str, str], environ: dict[str, str], **options: str
) -> LoadedService:
    for name, content in {"serverless.yml": text, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return load_service(folder, options=options, environ=environ)


VALUES: dict[str, tuple[str, dict[str, str], dict[str, Json]]] = {
    "a list in a text": (
        "a: x${self:custom.l}y\nb: x${self:custom.e}\nl: [1, two, [3, null], true, {a: 1}]\ne: []",
        {},
        {"a": "x1,two,3,,true,[object Object]y", "b": "x"},
    ),
    "numbers in texts": (
        "a: v${self:custom.n}\nn: 1.50\nb: v${self:custom.s}\ns: 1e-7\nc: v${self:custom.h}\nh: 1e21\nd: v${self:custom.t}\nt: 0.00001",
        {},
        {"a": "v1.5", "b": "v1e-7", "c": "v1e+21", "d": "v0.00001"},
    ),
    "literals": (
        "a: ${env:N, -1.5}\nb: ${env:N, 0}\nc: ${env:N, null}\nd: ${env:N, \"a,b}c\"}\ne: ${env:EMPTY, 'fallback'}",
        {},
        {"a": -1.5, "b": 0, "c": None, "d": "a,b}c", "e": ""},
    ),
    "a variable in a quoted fallback": ("a: ${env:N, '${self:service}'}", {}, {"a": "demo"}),
    "what is no variable": (
        "a: \\${self:service}\nb: '${AWS::Region} ${foo} ${a.b}'\nc: ${ self:service }\nd: $${self:service}",
        {},
        {"a": "${self:service}", "b": "${AWS::Region} ${foo} ${a.b}", "c": "${ self:service }", "d": "demo"},
    ),
    "an escaped variable is one again where it is taken from": (
        "a: \\${self:service}\nb: ${self:custom.a}\nc: ${file(f.yml):x}\nd: ${file(t.txt)}",
        {"f.yml": "x: \\${self:service}\n", "t.txt": "\\${self:service} ${self:service}"},
        {"a": "${self:service}", "b": "demo", "c": "${self:service}", "d": "${self:service} demo"},
    ),
    "files that refer to the place they are put": (
        "f: ${file(c.yml)}\nx: ${self:custom.f.g.h}",
        {"c.yml": "g: ${file(d.yml)}\n", "d.yml": "h: ${self:custom.f.g.i}\ni: ${file(e.json):k}\n", "e.json": '{"k": "${self:service}"}'},
        {"f": {"g": {"h": "demo", "i": "demo"}}, "x": "demo"},
    ),
    "texts of any kind": (
        "a: ${file(a.txt)}\nb: ${file(noext)}\nc: ${file(empty.txt), 'fallback'}\nd: ${file(n.json)}\ne: ${file(t.tfstate):a.b}\nf: ${file(a.txt):x, 'no address'}\ng: ${file(a.mjs)}",
        {"a.txt": "text\n", "noext": "plain", "empty.txt": "", "n.json": "42", "t.tfstate": '{"a": {"b": 1}}', "a.mjs": "x"},
        {"a": "text\n", "b": "plain", "c": "", "d": 42, "e": 1, "f": "no address", "g": "x"},
    ),
    "numbers of JSON": ("a: ${file(n.json)}", {"n.json": '{"i": 1.0, "e": 1e3, "f": 1.5}'}, {"a": {"i": 1, "e": 1000, "f": 1.5}}),
    "tags": (
        "a: !!set {x, y}\nb: !!omap [{a: 1}, {b: 2}]\nc: !Ref\nd: !GetAtt A.B.C\ne: !Sub ''\nf: !Ref 012",
        {},
        {"a": {"x": None, "y": None}, "b": [{"a": 1}, {"b": 2}], "c": {"Ref": None}, "d": {"Fn::GetAtt": ["A", "B.C"]}, "e": {"Fn::Sub": ""}, "f": {"Ref": "012"}},
    ),
    "a list as a key": ("? [a, 1]\n: c", {}, {"a,1": "c"}),
    "fallbacks in a row": (
        "a: ${file(no.yml):x, file(x.yml):y, 'z'}\nb: ${self:custom.none, opt:q, param:r, env:Q, 5}\nc: ${self:custom.nul, 'd'}\nnul: ~",
        {"x.yml": "n: 1"},
        {"a": "z", "b": 5, "c": "d"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_values(tmp_path: Path, name: str) -> None:
    lines, files, expected = VALUES[name]
    text = BASE + "custom:\n" + "".join(f"  {line}\n" for line in lines.split("\n"))
    found = load(tmp_path, text, files, {"EMPTY": ""}).service.config["custom"]
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("text", "options", "place", "expected"),
    [
        (BASE, {"region": "eu-west-3"}, ("provider", "region"), "eu-west-3"),
        (BASE, {}, ("provider", "region"), "us-east-1"),
        (BASE + "custom: {r: '${aws:region}'}\n", {}, ("custom", "r"), "us-east-1"),
        (BASE, {"stage": "x"}, ("provider", "stage"), "dev"),
        ("service: demo\nprovider: ${file(p.yml)}\n", {"stage": "x"}, ("provider", "environment"), {"A": "x"}),
        ("service: demo\nuseDotenv: true\nprovider: {name: aws, stage: \"${opt:stage, 'prod'}\"}\ncustom: '${env:A}'\n", {}, ("custom",), "of prod"),
        (BASE + "useDotenv: ${self:custom.x}\ncustom: {x: true, a: '${env:A}'}\n", {}, ("custom", "a"), "of all"),
    ],
)  # fmt: skip
def test_what_print_shows(
    tmp_path: Path, text: str, options: dict[str, str], place: tuple[str, ...], expected: Json
) -> None:
    provider = "name: aws\nstage: ${opt:stage, 'dev'}\nenvironment: {A: '${self:provider.stage}'}\n"
    files = {"p.yml": provider, ".env": "A=of all\n", ".env.prod": "A=of prod\n"}
    found: Json = shown(load(tmp_path, text, files, {"AWS_REGION": "eu-central-1"}, **options).service)
    for part in place:
        found = found[part]
    assert json.loads(json.dumps(found)) == expected


#: A line of `custom`, then where the mistake is and words of what is told.
REFUSED = [
    ("a: ${self:x, nope}", ("serverless.yml", 4, 6), "neither a variable nor a literal"),
    ("a: ${env:N, ${self:service}}", ("serverless.yml", 4, 6), "without its own brackets"),
    ("a: ${file(x.yml)a}", ("serverless.yml", 4, 6), "unexpected 'a'"),
    ("a: ${file(nope.yml)}", ("serverless.yml", 4, 6), "there is no file nope.yml"),
    ("a: ${file(x.yml):b.c}", ("serverless.yml", 4, 6), "x.yml has no 'b.c'"),
    ("a: ${file(empty.yml), 'x'}", ("serverless.yml", 4, 6), "empty.yml is empty"),
    ("a: ${file(sub)}", ("serverless.yml", 4, 6), "Is a directory"),
    ("a: ${file(dup.yml)}", ("dup.yml", 2, 1), "occurs twice"),
    ("a: ${file(bad.json), 'x'}", ("bad.json", 1, 2), "not valid JSON"),
    (
        "a: ${file(lost.yml)}\n  b: ${file(lost.yml)}",
        ("lost.yml", 1, 4),
        "the environment variable NO_SUCH is not set",
    ),
    ("a: ${file(round.yml)}", ("square.yml", 1, 4), "a circle of files: round.yml → square.yml → round.yml"),
    ("a: ${self:custom.${env:N, 'nope'}}", ("serverless.yml", 4, 6), "no 'custom.nope'"),
    ("a: ${strToBool()}", ("serverless.yml", 4, 6), "needs a value"),
    ("a: ${strToBool(maybe), 'x'}", ("serverless.yml", 4, 6), "not 'maybe'"),
    ("a: x${self:custom.n, null}\n  n: ~", ("serverless.yml", 4, 7), "is null"),
    ("a: !!omap [a]", ("serverless.yml", 4, 6), "!!omap"),
    ("a: [1", ("serverless.yml", 5, 1), "not valid YAML"),
    ("a: &x {<<: 5}", ("serverless.yml", 4, 14), "merges objects only"),
    ("a: 1\n---\nb: 2", ("serverless.yml", 5, 1), "another document"),
]


@pytest.mark.parametrize(("lines", "place", "words"), REFUSED)
def test_what_is_refused(tmp_path: Path, lines: str, place: tuple[str, int, int], words: str) -> None:
    files = {
        "x.yml": "a: 1\n", "empty.yml": "", "sub/x": "", "dup.yml": "a: 1\na: 2\n", "bad.json": "{a: 1}", "lost.yml": "a: ${env:NO_SUCH}\n",
        "round.yml": "x: ${file(square.yml)}\n", "square.yml": "y: ${file(round.yml)}\n",
    }  # fmt: skip
    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path, BASE + f"custom:\n  {lines}\n", files, {})
    (error,) = caught.value.errors
    assert error.mark is not None
    assert (error.mark.file.name, error.mark.line, error.mark.column) == place
    assert words in error.message


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("service: ''\nprovider: aws\n", True),
        ("service: 12\nprovider: aws\n", False),
        ("service: demo\nprovider: {name: 5}\n", False),
        (BASE + "package: x\n", True),
        (BASE + "layers: [x]\n", True),
        (BASE + "functions: {a: {handler: a.b, events: {http: GET /}}}\n", True),
        (BASE + "functions: {a: {handler: a.b, events: [null]}}\n", True),
        (BASE + "functions: {a: {handler: a.b, events: [http]}}\n", False),
        (BASE + "functions: [null, {a: {handler: a.b}}]\n", False),
        (BASE + "resources: [null, null]\n", False),
        (BASE + "frameworkVersion: abc\n", False),
        (BASE + "frameworkVersion: [3]\n", False),
        (BASE + "frameworkVersion: '>=2.0.0 <3.0.0'\n", True),
    ],
)
def test_forms(tmp_path: Path, text: str, refused: bool) -> None:
    try:
        loaded = load(tmp_path, text, {}, {})
    except ConfigErrors as error:
        assert refused, error
    else:
        assert not refused
        assert not ("frameworkVersion" in text and not loaded.warnings)
