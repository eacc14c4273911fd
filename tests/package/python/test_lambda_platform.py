"""Which wheels and markers hold in Lambda: the operating systems of AWS's page of runtimes, PEP 600's tags."""

from __future__ import annotations

import pytest
from packaging.markers import Marker
from packaging.tags import parse_tag

from pileus.package.python import LambdaPlatform


@pytest.mark.parametrize(
    ("runtime", "architecture", "expected"),
    [
        ("python3.12", None, LambdaPlatform("3.12", "x86_64")),
        ("python3.9", "arm64", LambdaPlatform("3.9", "arm64")),
        ("nodejs20.x", "arm64", None),
        ("provided.al2023", None, None),
        (None, None, None),
        ({"Ref": "Runtime"}, None, None),
    ],
)
def test_platform_of_a_function(
    runtime: object, architecture: object, expected: LambdaPlatform | None
) -> None:
    assert LambdaPlatform.of(runtime, architecture) == expected


@pytest.mark.parametrize(
    ("platform", "wheel", "fits"),
    [
        (LambdaPlatform("3.11"), "cp311-cp311-manylinux_2_17_x86_64", True),
        (LambdaPlatform("3.11"), "cp311-cp311-manylinux2014_x86_64", True),
        (LambdaPlatform("3.11"), "cp311-cp311-manylinux_2_26_x86_64", True),
        (LambdaPlatform("3.11"), "cp311-cp311-manylinux_2_28_x86_64", False),  # Amazon Linux 2 has glibc 2.26
        (LambdaPlatform("3.12"), "cp312-cp312-manylinux_2_34_x86_64", True),  # Amazon Linux 2023 has 2.34
        (LambdaPlatform("3.12"), "cp312-cp312-manylinux_2_35_x86_64", False),
        (LambdaPlatform("3.12"), "cp38-abi3-manylinux_2_28_x86_64", True),
        (LambdaPlatform("3.12"), "cp311-cp311-manylinux_2_17_x86_64", False),
        (LambdaPlatform("3.12"), "cp312-cp312-musllinux_1_1_x86_64", False),
        (LambdaPlatform("3.12"), "cp312-cp312-manylinux_2_17_aarch64", False),
        (LambdaPlatform("3.12", "arm64"), "cp312-cp312-manylinux_2_17_aarch64", True),
        (LambdaPlatform("3.12", "arm64"), "cp312-cp312-macosx_11_0_arm64", False),
        (LambdaPlatform("3.12", "arm64"), "py3-none-any", True),
        (LambdaPlatform("3.12", "arm64"), "py2.py3-none-any", True),
    ],
)
def test_fitting_wheels(platform: LambdaPlatform, wheel: str, fits: bool) -> None:
    assert bool(parse_tag(wheel) & set(platform.tags())) is fits


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ("sys_platform == 'linux'", True),
        ("platform_machine == 'aarch64'", True),
        ("platform_machine == 'x86_64'", False),
        ("python_version < '3.11'", False),
        ("python_full_version >= '3.12.0'", True),
        ("os_name == 'nt'", False),
        ("platform_python_implementation == 'CPython'", True),
    ],
)
def test_markers_are_lambdas(marker: str, holds: bool) -> None:
    assert Marker(marker).evaluate({**LambdaPlatform("3.12", "arm64").markers(), "extra": ""}) is holds
