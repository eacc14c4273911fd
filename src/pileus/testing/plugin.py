"""The pytest plugin: the whole service as a fixture.

    def test_sign_up(pileus_service):
        assert requests.post(f"{pileus_service.api_url}/users", json={...}).status_code == 201
        pileus_service.drain()
        assert pileus_service.outbox()

Loaded by pytest itself (entry point `pytest11`), so it imports nothing of Pileus before a fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .embedded import EmbeddedCloud
    from .running_service import RunningService


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("pileus")
    group.addoption(
        "--pileus-stage", help="Stage of the service under test; as in serverless.yml by default."
    )
    parser.addini(
        "pileus_service", "Folder of the serverless.yml under test, relative to the root.", default="."
    )


@pytest.fixture(scope="session")
def pileus_service(request: pytest.FixtureRequest) -> Iterator[RunningService]:
    """The service of this project, running whole in an embedded cloud of its own, in memory, for the session.

    `api_url`, `http_api_url`, `client("dynamodb")`, `invoke("functionKey", event)`, `outbox()`, `drain()`,
    `travel(seconds)`. With pytest-xdist each worker has its own.
    """
    from ..deploy.stack import DeploymentFailed
    from ..service import ConfigErrors, render
    from .running_service import RunningService

    root = request.config.rootpath
    folder = Path(root, str(request.config.getini("pileus_service")))
    stage = request.config.getoption("--pileus-stage")
    running = RunningService(folder, options={"stage": stage} if stage else {})
    try:
        running.start()
    except ConfigErrors as error:
        pytest.fail(f"the service in {folder} can't run\n\n{error.render(root)}", pytrace=False)
    except DeploymentFailed as error:
        text = render(error.mistakes, root) or str(error)
        pytest.fail(
            f"the service in {folder} can't run: its stack is {error.status}\n\n{text}", pytrace=False
        )
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def pileus_cloud() -> Iterator[EmbeddedCloud]:
    """An embedded cloud, empty, for one test."""
    from .embedded import EmbeddedCloud

    with EmbeddedCloud() as cloud:
        yield cloud
