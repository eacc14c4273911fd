"""Fixtures that all tests share: a cloud in the process, and a cloud behind a port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from pileus.cloud.kernel import Cloud, Settings
from pileus.cloud.services import REGISTRY
from pileus.testing import EmbeddedCloud

# how long an example takes says something about the machine, not about the code
settings.register_profile("pileus", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pileus")


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A cloud in memory, not started: `cloud.call("sqs", …)` works, the bus delivers after `await cloud.start()`."""
    made = Cloud(REGISTRY, Settings())
    yield made
    made.store.close()


@pytest.fixture
def aws() -> Iterator[EmbeddedCloud]:
    """A running cloud of this test's own: `aws.client("sqs")`."""
    with EmbeddedCloud() as embedded:
        yield embedded


@pytest.fixture(scope="module")
def shared_aws() -> Iterator[EmbeddedCloud]:
    """A running cloud for a module whose tests name their resources apart."""
    with EmbeddedCloud() as embedded:
        yield embedded
