"""The logical id of a version, digit for digit as Serverless Framework 3.40.0 computed it for the same archives.

`hashes/expected.json` holds the digests of three archives and the ids that one run of it gave to the versions.
"""

import json
import sys
from pathlib import Path

import pytest

from pileus.compile import Artifact, Artifacts, compile_service
from pileus.compile.collation import ordered

sys.path.insert(0, str(Path(__file__).parent))
from golden import AT_MS, load

FOLDER = Path(__file__).parent / "hashes"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def artifact(name: str) -> Artifact:
    return Artifact(name, EXPECTED["zips"][name]["sha256"], EXPECTED["zips"][name]["sha1"])


def version_ids(code: str = "a.zip") -> list[str]:
    layers = {"l": artifact("l.zip"), "l2": artifact("l2.zip"), "kept": artifact("l.zip")}
    artifacts = Artifacts(at_ms=AT_MS, service=artifact(code), layers=layers)
    template = compile_service(load(FOLDER).service, artifacts).update_stack
    return sorted(name for name in template["Resources"] if "LambdaVersion" in name)


def test_version_ids_are_the_frameworks() -> None:
    assert version_ids() == EXPECTED["versions"]


def test_new_code_is_a_new_version() -> None:
    assert not set(version_ids("l2.zip")) & set(EXPECTED["versions"])


def test_a_retained_layer_has_an_id_for_each_content() -> None:
    def retained(content: str) -> str:
        layers = {"l": artifact("l.zip"), "l2": artifact("l2.zip"), "kept": artifact(content)}
        artifacts = Artifacts(at_ms=AT_MS, service=artifact("a.zip"), layers=layers)
        resources = compile_service(load(FOLDER).service, artifacts).update_stack["Resources"]
        return next(name for name in resources if name.startswith("KeptLambdaLayer"))

    assert retained("l.zip") != retained("l2.zip")
    assert retained("l.zip") == retained("l.zip")


@pytest.mark.parametrize(
    ("keys", "sorted_keys"),
    [
        (["b", "A", "a", "B"], ["a", "A", "b", "B"]),
        (["ab", "aB", "a_b", "a1", "_a"], ["_a", "a_b", "a1", "ab", "aB"]),
        (["MemorySize", "layerConfigurations", "Layers"], ["layerConfigurations", "Layers", "MemorySize"]),
        (["Fn::Sub", "Fn"], ["Fn", "Fn::Sub"]),
    ],
)
def test_keys_come_as_in_a_dictionary(keys: list[str], sorted_keys: list[str]) -> None:
    assert list(ordered(dict.fromkeys(keys))) == sorted_keys
