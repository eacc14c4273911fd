"""What `print` adds to a configuration, as the Serverless Framework 3.40.0 printed it (observed)."""

from pathlib import Path

import pytest

from pileus.service import load_service
from pileus.service.shown import shown
from pileus.service.tree import Json

KEYS = {"artifactsS3KeyDirname": "serverless/demo/dev/code-artifacts"}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param("package: {}", KEYS, id="an empty block"),
        pytest.param(
            "package: {excludeDevDependencies: false}",
            {"excludeDevDependencies": False} | KEYS,
            id="a block without an artifact",
        ),
        pytest.param("package: {exclude: [x]}", {"exclude": ["x"]} | KEYS, id="the old exclude"),
        pytest.param("package:", None, id="an empty value"),
        pytest.param(
            "functions: {a: {handler: a.b, package: {artifact: a.zip}}}", None, id="only a function's block"
        ),
    ],
)
def test_a_package_block_gets_the_folder_of_its_artifacts(tmp_path: Path, block: str, expected: Json) -> None:
    (tmp_path / "serverless.yml").write_text(
        f"service: demo\nprovider: {{name: aws, runtime: python3.12}}\n{block}\n"
    )
    service = load_service(tmp_path, options={}, environ={}).service
    assert shown(service).get("package") == expected
