"""Where dependencies go: as observed in what serverless-python-requirements 6.1.2 packages (file lists of its archives)."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import pytest

from pileus.package import ArtifactPlan, FileSource, Kind, PackagePlan, Target
from pileus.package.python import Placed, add_python_dependencies
from pileus.service.errors import ConfigErrors

_OWN = ("handler.py", "one/h.py", "one/requirements.txt", "two/h.py")


def _placed(customer, *, individually: bool = False) -> Placed:
    """A plan with the service's own files in each artifact, and the dependencies placed in it."""
    service = customer.service()
    keys = tuple(service.functions)
    files = tuple(FileSource.of_bytes(path, path.encode()) for path in _OWN)
    if individually:
        artifacts = tuple(
            ArtifactPlan(Target(Kind.FUNCTION, key), f"{key}.zip", (key,), files=files) for key in keys
        )
    else:
        artifacts = (ArtifactPlan(Target(Kind.SERVICE), "shop.zip", keys, files=files),)
    return add_python_dependencies(PackagePlan(service, artifacts), customer.said.append)


def _code(artifact: ArtifactPlan) -> list[str]:
    return [file.path for file in artifact.files if ".dist-info/" not in file.path]


@pytest.fixture
def customer(shop, customer):
    shop.wheel("tinya", requires=["tinyb"])
    shop.wheel("tinyb")
    customer.write("requirements.txt", "tinya\n")
    customer.write("one/requirements.txt", "tinyb\n")
    customer.write("two/h.py", "")
    return customer


def test_beside_the_code(customer) -> None:
    (artifact,) = _placed(customer).plan.artifacts
    assert _code(artifact) == [*_OWN, "tinya.py", "tinyb.py"]
    assert artifact.file_name == "shop.zip"


def test_the_users_file_wins(customer) -> None:
    customer.settings = "precompile: true"
    plan = _placed(customer).plan
    assert any("__pycache__/tinya" in file.path for file in plan.artifacts[0].files)
    own = (FileSource.of_bytes("tinya.py", b"mine"),)
    artifact = ArtifactPlan(Target(Kind.SERVICE), "shop.zip", ("hello",), files=own)
    placed = add_python_dependencies(PackagePlan(plan.service, (artifact,))).plan.artifacts[0]
    files = {file.path: file for file in placed.files}
    assert files["tinya.py"].read() == b"mine"
    assert not any("__pycache__/tinya" in path for path in files)
    assert any("__pycache__/tinyb" in path for path in files)


def test_modules(customer) -> None:
    customer.more = (
        "package: {individually: true}\nfunctions:\n"
        "  one: {handler: h.h, module: one}\n  two: {handler: h.h, module: two}\n"
        "  three: {handler: handler.h}\n  node: {handler: x.y, runtime: nodejs20.x}\n"
    )
    placed = _placed(customer, individually=True)
    found = {artifact.file_name: _code(artifact) for artifact in placed.plan.artifacts}
    assert found == {
        "one-shop-dev-one.zip": ["h.py", "requirements.txt", "tinyb.py"],
        "two-shop-dev-two.zip": ["h.py"],
        "three.zip": [*_OWN, "tinya.py", "tinyb.py"],
        "node.zip": list(_OWN),
    }


def test_no_python_no_dependencies(customer) -> None:
    customer.more = "functions:\n  node: {handler: x.y, runtime: nodejs20.x}\n"
    placed = _placed(customer)
    assert _code(placed.plan.artifacts[0]) == list(_OWN)
    assert placed.dependencies == {}


def test_layer(customer) -> None:
    customer.settings = "layer: true, precompile: false"
    customer.more = "layers: {pythonRequirements: {artifact: x, compatibleRuntimes: [python3.11]}}\nfunctions: {hello: {handler: h.h}}\n"
    service, layer = _placed(customer).plan.artifacts
    assert _code(service) == list(_OWN)
    assert layer.target == Target(Kind.LAYER, "pythonRequirements")
    assert layer.file_name == "pythonRequirements.zip"
    assert _code(layer) == ["python/tinya.py", "python/tinyb.py"]


def test_layer_without_python(customer) -> None:
    customer.settings = "layer: true"
    with pytest.raises(ConfigErrors, match="needs a Python runtime"):
        _placed(customer)


def test_zip_unpacks_itself(customer, tmp_path) -> None:
    customer.settings = "zip: true, precompile: false"
    (artifact,) = _placed(customer).plan.artifacts
    assert _code(artifact) == [*_OWN, ".requirements.zip", "unzip_requirements.py"]
    files = {file.path: file.read() for file in artifact.files}
    with zipfile.ZipFile(io.BytesIO(files[".requirements.zip"])) as archive:
        assert {"tinya.py", "tinyb.py"} <= set(archive.namelist())
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    task, scratch = tmp_path / "task", tmp_path / "scratch"
    task.mkdir()
    scratch.mkdir()
    for name in (".requirements.zip", "unzip_requirements.py"):
        (task / name).write_bytes(files[name])
    script = "import unzip_requirements, tinya; print(tinya.NAME)"
    environment = {"PYTHONPATH": str(task), "TMPDIR": str(scratch), "LAMBDA_TASK_ROOT": str(task)}
    for _ in range(2):
        result = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        assert result.stdout == "tinya\n", result.stderr
    assert [path.name for path in scratch.iterdir()] == ["sls-py-req"]


def test_vendor(customer) -> None:
    customer.write("vendored/mine/a.py", "A = 1\n")
    customer.write("vendored/__pycache__/x.pyc", "")
    customer.settings = "vendor: ./vendored, precompile: false"
    (artifact,) = _placed(customer).plan.artifacts
    assert _code(artifact) == [*_OWN, "tinya.py", "tinyb.py", "mine/a.py"]
    customer.settings = "vendor: ./missing"
    with pytest.raises(ConfigErrors, match="is not a folder"):
        _placed(customer)


@pytest.mark.parametrize("same", [True, False])
def test_two_pythons_in_one_artifact(shop, customer, same: bool) -> None:
    shop.wheel("native", tag="cp311-cp311-manylinux_2_17_x86_64", files={"native/_n.cpython-311.so": b"11"})
    other = "native/_n.cpython-312.so" if same else "native/_n.cpython-311.so"
    shop.wheel("native", tag="cp312-cp312-manylinux_2_17_x86_64", files={other: b"12"})
    customer.write("requirements.txt", "native\n")
    customer.more = "functions:\n  a: {handler: a.a}\n  b: {handler: b.b, runtime: python3.12}\n"
    if same:
        (artifact,) = _placed(customer).plan.artifacts
        assert {"native/_n.cpython-311.so", "native/_n.cpython-312.so"} <= set(_code(artifact))
    else:
        with pytest.raises(ConfigErrors, match="share an artifact") as raised:
            _placed(customer)
        assert "individually" in (raised.value.errors[0].hint or "")


def test_what_is_to_be_known(customer) -> None:
    customer.settings = "dockerizePip: true, precompile: true"
    customer.runtime = "python3.99"
    placed = _placed(customer)
    assert [one.message for one in placed.plan.warnings] == [
        "'dockerizePip' has no effect: wheels for Lambda are taken without Docker",
        "no .pyc: python3.99 is not on this machine to compile them",
    ]
