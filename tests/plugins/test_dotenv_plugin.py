"""serverless-dotenv-plugin: what its README says, and what serverless-dotenv-plugin 6.0.0 was observed to do."""

from pathlib import Path
from typing import Any

import pytest

from pileus.service import ConfigErrors

FILES = {
    ".env": "A=env\nB=env\nC=${A}-x\nPATH=/nope\n",
    ".env.dev": "D=dev\nA=envdev\nE=$C\n",
    ".env.dev.local": "D=devlocal\n",
    ".env.local": "F=local\nD=local\n",
    ".env.development": "G=development\n",
    "sub.env": "S=sub\n",
}
YAML = """
service: shop
plugins: [serverless-dotenv-plugin]
provider: {name: aws, runtime: nodejs18.x, environment: {A: yml, Z: z}}
custom: {dotenv: %s}
functions: {one: {handler: handler.h, environment: {X: '${env:B, "unset"}'}}}
"""
DEVELOPMENT = {"A": "env", "Z": "z", "G": "development", "F": "local", "D": "local", "B": "env", "C": "env-x"}


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)


@pytest.mark.parametrize(
    ("settings", "options", "expected"),
    [
        ("{}", {}, {**DEVELOPMENT, "PATH": "/bin"}),
        ("{exclude: [PATH]}", {}, DEVELOPMENT),
        (
            "{exclude: [PATH]}",
            {"stage": "dev"},
            {"A": "envdev", "Z": "z", "D": "devlocal", "E": "", "F": "local", "B": "env", "C": "envdev-x"},
        ),
        ("{include: [A, D, NOPE]}", {}, {"A": "env", "Z": "z", "D": "local"}),
        ("{include: []}", {}, {"A": "yml", "Z": "z"}),
        ("{include: '*', exclude: [PATH]}", {}, DEVELOPMENT),
        ("{path: .env.dev}", {}, {"A": "envdev", "Z": "z", "D": "dev", "E": ""}),
        ("{path: nowhere}", {}, {"A": "yml", "Z": "z"}),
        ("{basePath: sub}", {}, {"A": "yml", "Z": "z", "S": "sub"}),
        ("{variableExpansion: false, exclude: [PATH]}", {}, {**DEVELOPMENT, "C": "${A}-x"}),
        ("{required: {env: [A, PATH], file: true}, include: []}", {}, {"A": "yml", "Z": "z"}),
    ],
)
def test_what_functions_get(
    load: Any, settings: str, options: dict[str, str], expected: dict[str, str]
) -> None:
    service = load(YAML % settings, environ={"PATH": "/bin"}, **options).service
    assert service.setting("environment") == expected
    assert list(service.setting("environment")) == list(expected)
    assert service.functions["one"].get("environment") == {"X": "unset"}


def test_node_env_goes_before_the_stage(load: Any) -> None:
    service = load(YAML % "{exclude: [PATH]}", environ={"NODE_ENV": "dev"}, stage="prod").service
    assert service.setting("environment", "D") == "devlocal"


def test_of_the_tests_stage_local_is_left_out(load: Any) -> None:
    assert "F" not in load(YAML % "{}", stage="test").service.setting("environment")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("{required: {env: [NOPE, A]}}", "the environment variables NOPE are required and not set"),
        ("{path: nowhere, required: {file: true}}", "none of the .env files exists"),
        ("{dotenvParser: parser.js}", "a parser in JavaScript cannot be run here"),
    ],
)
def test_mistakes(load: Any, settings: str, words: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        load(YAML % settings)
    assert words in raised.value.render()


def test_exclude_beside_include_is_said_to_do_nothing(load: Any) -> None:
    loaded = load(YAML % "{include: [A], exclude: [A]}")
    assert [each.message for each in loaded.warnings] == ["'exclude' does nothing beside 'include'"]
