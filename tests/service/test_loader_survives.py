"""Whatever a file holds: a LoadedService, or ConfigErrors with a place for everything that is wrong in it."""

import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pileus.service import ConfigErrors, load_service
from pileus.service.shown import shown
from pileus.service.tree import Json

KEYS = st.sampled_from(
    (
        *(
            "service",
            "provider",
            "functions",
            "custom",
            "resources",
            "params",
            "package",
            "layers",
            "plugins",
        ),
        *(
            "name",
            "stage",
            "region",
            "handler",
            "events",
            "http",
            "path",
            "default",
            "dev",
            "useDotenv",
            "a",
            "b",
            "0",
        ),
        *(
            "frameworkVersion",
            "configValidationMode",
            "Resources",
            "Outputs",
            "environment",
            "artifact",
            "Fn::Sub",
        ),
    )
)
SOURCES = st.sampled_from(
    (
        *(
            "self:",
            "self:custom",
            "self:custom.a",
            "self:a.b",
            "self:provider.stage",
            "self:functions.a",
            "self:b.0",
        ),
        *(
            "opt:stage",
            "opt:x",
            "env:A",
            "env:",
            "param:a",
            "sls:stage",
            "sls:x",
            "aws:region",
            "aws:accountId",
        ),
        *(
            "file(a.yml)",
            "file(b.yml):a",
            "file(a.json):a.b",
            "file(./none)",
            "file(t.txt)",
            "file()",
            "vault:x",
        ),
        *(
            "strToBool(true)",
            "strToBool(x)",
            "cf:s.O",
            "ssm:/a",
            "s3:b/k",
            "'text'",
            "5",
            "null",
            "true",
            "git:x",
        ),
    )
)


def _variable(parts: list[str]) -> str:
    return "${" + ", ".join(parts) + "}"


VARIABLES = st.lists(SOURCES, min_size=1, max_size=3).map(_variable)
NESTED = st.tuples(SOURCES, VARIABLES).map(lambda pair: "${" + pair[0] + pair[1] + "}")
PIECES = st.one_of(
    VARIABLES, NESTED, st.sampled_from(("${", "}", "x", "\\", "$", "'", "${AWS::Region}", "a.b"))
)
TEXTS = st.one_of(VARIABLES, st.lists(PIECES, max_size=3).map("".join), st.text(max_size=5))
SCALARS = st.one_of(
    TEXTS, st.none(), st.booleans(), st.integers(-5, 2000), st.floats(allow_nan=False), st.just("aws")
)
CONFIGS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(KEYS, TEXTS), inner, max_size=4),
    ),
    max_leaves=12,
)
#: A frame that gets past the first checks, with anything inside.
SERVICES = st.fixed_dictionaries(
    {
        "service": st.one_of(st.just("demo"), CONFIGS),
        "provider": st.one_of(st.just({"name": "aws"}), CONFIGS),
    },
    optional={
        "functions": st.one_of(st.dictionaries(KEYS, CONFIGS, max_size=2), CONFIGS),
        "custom": CONFIGS,
        "params": CONFIGS,
        "resources": CONFIGS,
        "package": CONFIGS,
        "layers": CONFIGS,
        "useDotenv": CONFIGS,
        "frameworkVersion": CONFIGS,
    },
)
YAML = st.text(st.sampled_from("abc:- \n\t#[]{}!&*<|>'\"%@`,?~$().0129é\x00\x85\ufeff"), max_size=60)


def survives(files: dict[str, str], name: str = "serverless.yml") -> None:
    with tempfile.TemporaryDirectory() as folder:
        for file, text in files.items():
            (Path(folder) / file).write_text(text, "utf-8", "surrogatepass")
        try:
            loaded = load_service(Path(folder), options={}, environ={"A": "${self:b}"}, config_name=name)
        except ConfigErrors as wrong:
            assert wrong.errors
            assert all(error.mark is not None for error in wrong.errors)
            assert wrong.render(Path(folder))
            return
        json.dumps(shown(loaded.service))
        assert all(warning.mark is not None for warning in loaded.warnings)


@given(YAML)
def test_any_text(text: str) -> None:
    survives({"serverless.yml": text})
    survives(
        {"serverless.yml": "service: demo\nprovider: {name: aws}\ncustom:\n " + text.replace("\n", "\n ")}
    )


@given(st.text(max_size=40))
def test_any_json_text(text: str) -> None:
    survives({"serverless.json": text}, "serverless.json")


@given(SERVICES, CONFIGS, CONFIGS)
def test_any_configuration(service: Json, one: Json, other: Json) -> None:
    files = {
        "a.yml": json.dumps(one),
        "b.yml": json.dumps(other),
        "a.json": json.dumps(other),
        "t.txt": "${self:a}",
    }
    survives({"serverless.yml": json.dumps(service), **files})


@given(TEXTS, TEXTS, st.lists(KEYS, max_size=3))
def test_any_variable_in_a_file_of_variables(text: str, other: str, keys: list[str]) -> None:
    service = {"service": "demo", "provider": {"name": "aws"}, "custom": {"a": text, "b": other}}
    survives({"serverless.yml": json.dumps(service), "a.yml": json.dumps(dict.fromkeys(keys, text))})
