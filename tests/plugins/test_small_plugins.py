"""serverless-offline, -prune, -api-gateway-throttling, -git-variables, -python-requirements: settings and effects."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pileus.service import ConfigErrors, render

YAML = "service: shop\nplugins: [%s]\nprovider: {name: aws, runtime: python3.12}\ncustom: %s\nfunctions: {one: %s}\n"
FUNCTION = "{handler: handler.h}"


@pytest.mark.parametrize(
    ("settings", "options", "words"),
    [
        ("{httpPort: 4000, host: 0.0.0.0}", {"http_port": 4000, "host": "0.0.0.0"}, []),
        ("{noPrependStageInUrl: true, httpPort: '5000'}", {"bare": True, "http_port": 5000}, []),
        ("{noSponsor: true, reloadHandler: true, useDocker: false, prefix: ''}", {}, []),
        ("{useDocker: true}", {}, ["'useDocker' has no effect", "without Docker"]),
        ("{lambdaPort: 3005, albPort: 3006}", {"lambda_port": 3005, "alb_port": 3006}, []),
        ("{localEnvironment: true}", {"local_environment": True}, []),
        ("{terminateIdleLambdaTime: 5}", {"idle": 5}, []),
        ("{ignoreJWTSignature: true}", {"trust_tokens": True}, []),
        ("{noAuth: true}", {}, ["'noAuth' has no effect", "authorizers run as they do in AWS"]),
        ("{httPort: 1}", {}, ["'httPort' is no setting of serverless-offline", "did you mean 'httpPort'?"]),
        ("{httpPort: many}", {"http_port": "many"}, ["must be a whole number"]),
    ],
)
def test_offline_settings(load: Any, settings: str, options: dict[str, Any], words: list[str]) -> None:
    text = YAML % ("serverless-offline", f"{{serverless-offline: {settings}}}", FUNCTION)
    loaded = load(text, purpose="offline")
    assert loaded.service.extensions.offline_options() == options
    told = render(loaded.warnings)
    assert bool(told) == bool(words)
    assert all(word in told for word in words)
    assert not any("no effect" in each.message for each in load(text, purpose="package").warnings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("{automatic: true, number: 3, includeLayers: true}", None),
        ("{automatic: true}", "'automatic' prunes nothing without 'number'"),
        ("{automatic: true, number: many}", "must be a whole number"),
        ("{automatik: true}", "did you mean 'automatic'?"),
    ],
)
def test_prune_settings(load: Any, settings: str, words: str | None) -> None:
    told = render(load(YAML % ("serverless-prune-plugin", f"{{prune: {settings}}}", FUNCTION)).warnings)
    assert (words in told) if words else not told


THROTTLED = """
{handler: handler.h, events: [
  {http: GET /plain},
  {http: {path: '/a/{id}', method: get, throttling: {maxRequestsPerSecond: 5, maxConcurrentRequests: 2}}},
  {http: {path: b, method: post, throttling: {disabled: true}}},
  {http: {path: c, method: any, throttling: {maxConcurrentRequests: 1}}}]}
""".replace("\n", " ")


def test_throttling_is_set_on_the_stage(load: Any) -> None:
    custom = "{apiGatewayThrottling: {maxRequestsPerSecond: 100, maxConcurrentRequests: 50}}"
    service = load(YAML % ("serverless-api-gateway-throttling", custom, THROTTLED)).service
    patches = {each["path"]: each["value"] for each in service.extensions.stage_settings(service)}
    assert patches == {
        "/*/*/throttling/rateLimit": "100",
        "/*/*/throttling/burstLimit": "50",
        "/~1a~1{id}/GET/throttling/rateLimit": "5",
        "/~1a~1{id}/GET/throttling/burstLimit": "2",
        "/~1b/POST/throttling/rateLimit": "-1",
        "/~1b/POST/throttling/burstLimit": "-1",
        **{
            f"/~1c/{method}/throttling/burstLimit": "1"
            for method in ("GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
        },
    }


def test_throttling_that_is_not_enforced_here_is_said_once(load: Any) -> None:
    custom = "{apiGatewayThrottling: {maxRequestsPerSecond: 100}}"
    loaded = load(YAML % ("serverless-api-gateway-throttling", custom, THROTTLED), purpose="offline")
    assert [each.message for each in loaded.warnings] == [
        "the stage gets these rates, and requests are not held to them here"
    ]


def git(folder: Path, *arguments: str) -> None:
    own = [
        "-c",
        "user.name=Me",
        "-c",
        "user.email=a@b.c",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "tag.gpgsign=false",
    ]
    subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("custom", "function", "environment", "tags"),
    [
        ("{}", FUNCTION, ["SHORT", "LONG", "BRANCH", "DIRTY", "REPOSITORY", "TAGS"], None),
        ("{exportGitVariables: false}", FUNCTION, [], []),
        (
            "{gitVariablesEnvWhitelist: [GIT_TAGS], gitVariablesTagsWhitelist: [GIT_BRANCH]}",
            FUNCTION,
            ["TAGS"],
            ["BRANCH"],
        ),
    ],
)
def test_git_facts_are_variables_and_tags(
    load: Any, tmp_path: Path, custom: str, function: str, environment: list[str], tags: list[str] | None
) -> None:
    text = YAML % ("serverless-plugin-git-variables", custom, function)
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a").touch()
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "First")
    git(tmp_path, "tag", "v1")
    one = load(text, environ={"PATH": "/usr/local/bin:/usr/bin:/bin"}).service.functions["one"]
    assert [name.rpartition("_")[2] for name in one.get("environment") or {}] == environment
    assert [name.rpartition("_")[2] for name in one.get("tags") or {}] == (
        environment if tags is None else tags
    )
    if "TAGS" in environment:
        assert one.get("environment", "GIT_TAGS") == "v1"


def test_the_functions_own_variables_stay(load: Any, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-qm", "First", "--allow-empty")
    text = YAML % ("serverless-plugin-git-variables", "{}", "{handler: h.h, environment: {GIT_BRANCH: mine}}")
    one = load(text, environ={"PATH": "/usr/local/bin:/usr/bin:/bin"}).service.functions["one"]
    assert one.get("environment", "GIT_BRANCH") == "mine"
    assert one.get("tags", "GIT_BRANCH") == "main"


def test_without_a_repository_it_says_what_to_do(load: Any) -> None:
    with pytest.raises(ConfigErrors) as raised:
        load(
            YAML % ("serverless-plugin-git-variables", "{}", FUNCTION),
            environ={"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": "/"},
        )
    assert "exportGitVariables: false" in raised.value.render()


def test_a_layer_of_requirements_goes_by_the_users_settings(load: Any) -> None:
    custom = "{pythonRequirements: {layer: {description: mine, retain: true}}}"
    service = load(YAML % ("serverless-python-requirements", custom, FUNCTION)).service
    assert service.config["layers"]["pythonRequirements"] == {
        "name": "shop-dev-python-requirements",
        "description": "mine",
        "compatibleRuntimes": ["python3.12"],
        "retain": True,
        "artifact": ".serverless/pythonRequirements.zip",
    }
