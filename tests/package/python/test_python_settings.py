"""`custom.pythonRequirements`, as serverless-python-requirements documents it."""

from __future__ import annotations

import pytest

from pileus.package.python import read_settings
from pileus.service.errors import ConfigErrors


def test_defaults(customer) -> None:
    customer.settings = ""
    settings = read_settings(customer.service())
    assert settings.file_name == "requirements.txt"
    assert (settings.use_uv, settings.use_poetry, settings.use_pipenv) == (True, True, True)
    assert (settings.slim, settings.zip, settings.layer, settings.strip) == (False, False, None, True)
    assert settings.precompile and not settings.fresh


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("slim: 'true'", "slim", True),  # what ${opt:…} gives
        ("fileName: requirements-prod.txt", "file_name", "requirements-prod.txt"),
        ("noDeploy: [Boto_3, a.b]", "no_deploy", ("boto-3", "a-b")),
        ("layer: true", "layer", {}),
        ("layer: false", "layer", None),
        ("layer: {name: mine}", "layer", {"name": "mine"}),
        ("slim: true", "precompile", False),
        ("slim: true, precompile: true", "precompile", True),
        ("useStaticCache: false", "fresh", True),
        ("invalidateCaches: true", "fresh", True),
        ("staticCacheMaxVersions: 3", "static_cache_max_versions", 3),
        ("pipCmdExtraArgs: ['--index-url https://x/simple']", "pip_arguments", ("--index-url", "https://x/simple")),
        ("pipCmdExtraArgs: ['--platform=manylinux1_x86_64', '--only-binary=:all:', --compile]", "pip_arguments", ()),
        ("pipCmdExtraArgs: ['--platform manylinux1_x86_64', '--python-version', '3.9', '--pre']", "pip_arguments", ("--pre",)),
        ("pipCmdExtraArgs: ['--trusted-host', 'x.org']", "pip_arguments", ("--allow-insecure-host", "x.org")),
    ],
)  # fmt: skip
def test_settings(customer, text: str, name: str, value: object) -> None:
    customer.settings = text
    assert getattr(read_settings(customer.service()), name) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slimm: true", "unknown setting 'slimm'"),
        ("slim: maybe", "must be true or false"),
        ("noDeploy: {a: 1}", "must be a list of texts"),
        ("layer: yes-please", "must be true, false or an object"),
        ("staticCacheMaxVersions: -1", "must be a number from 0"),
        ("fileName: [a]", "must be a text"),
    ],
)
def test_mistakes_name_their_place(customer, text: str, message: str) -> None:
    customer.settings = text
    with pytest.raises(ConfigErrors) as raised:
        read_settings(customer.service())
    (error,) = raised.value.errors
    assert error.message == message
    assert error.mark is not None and error.mark.line == 4


def test_docker_has_no_effect_and_that_is_said(customer) -> None:
    customer.settings = "dockerizePip: non-linux, dockerExtraFiles: [/usr/lib64/x.so], dockerImage: ''"
    warnings = read_settings(customer.service()).warnings
    assert [one.message.partition(" has")[0] for one in warnings] == ["'dockerizePip'", "'dockerExtraFiles'"]
    assert "not in the artifact" in warnings[1].message
