"""Reading botocore's models and keeping their stripped form."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pileus.cloud.protocol import botocore_data_dir, model_metadata, model_names, service_codec
from pileus.cloud.protocol.model import load_model, strip


def test_models_are_found() -> None:
    assert (botocore_data_dir() / "sqs").is_dir()
    assert {"sqs", "dynamodb", "s3"} <= set(model_names())
    assert model_metadata("sqs")["targetPrefix"] == "AmazonSQS"
    with pytest.raises(LookupError, match="no-such-service"):
        load_model("no-such-service")


def test_documentation_goes_and_members_of_that_name_stay() -> None:
    stripped = strip(
        {
            "metadata": {},
            "operations": {"Get": {"name": "Get", "documentation": "…"}},
            "shapes": {
                "Part": {
                    "type": "structure",
                    "documentation": "…",
                    "members": {"documentation": {"shape": "Text", "documentation": "…"}},
                },
                "Parts": {"type": "list", "member": {"shape": "Part", "documentation": "…"}},
            },
        }
    )
    assert stripped == {
        "metadata": {},
        "operations": {"Get": {"name": "Get"}},
        "shapes": {
            "Part": {"type": "structure", "members": {"documentation": {"shape": "Text"}}},
            "Parts": {"type": "list", "member": {"shape": "Part"}},
        },
    }


def test_the_cache_holds_the_same_model(tmp_path: Path) -> None:
    fresh = load_model("sts", cache_dir=tmp_path / "models")
    (kept,) = (tmp_path / "models").iterdir()
    assert load_model("sts", cache_dir=tmp_path / "models") == fresh == load_model("sts")
    assert kept.stat().st_size < 20_000


@pytest.mark.parametrize("content", [b"", b'{"metadata": {', b"\xff"])
def test_a_broken_cache_is_made_anew(tmp_path: Path, content: bytes) -> None:
    fresh = load_model("sts", cache_dir=tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(content)
    assert load_model("sts", cache_dir=tmp_path) == fresh
    assert kept.read_bytes() != content


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert service_codec("sts", cache_dir=tmp_path / "file").name == "sts"


def test_botocore_is_not_imported() -> None:
    program = (
        "import sys, pileus.cloud.protocol as p; p.service_codec('sqs'); assert 'botocore' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
