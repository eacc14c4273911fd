"""custom-resources.zip: there when the template has a function that runs from it, and the same bytes each time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pileus.compile import Artifacts, compile_service
from pileus.compile.custom_resources import uses_archive
from pileus.deploy.project import Packaged, Project
from pileus.package import FileSource, Kind, PackagePlan, Target, plan_package, with_custom_resources
from pileus.service import ConfigErrors, Service

MakeService = Callable[..., Service]
BUCKET = {"s3": {"bucket": "photos", "existing": True}}


def service_with(
    make: MakeService, event: Any, provider: dict[str, Any] | None = None, **more: Any
) -> Service:
    config = {
        "provider": {"name": "aws", "runtime": "python3.11", **(provider or {})},
        "functions": {"f": {"handler": "handler.handle", "events": [event]}},
        **more,
    }
    return make(config)


def template(service: Service) -> dict[str, Any]:
    return compile_service(service, Artifacts.synthetic(service, 0)).update_stack


def package(service: Service, out: Path) -> Packaged:
    project = Project(service.directory, options={}, environ={})
    return project.package(project.load().service, out)


@pytest.mark.parametrize(
    ("event", "provider", "used"),
    [
        (BUCKET, {}, True),
        ({"cognitoUserPool": {"pool": "p", "trigger": "PreSignUp", "existing": True}}, {}, True),
        ({"eventBridge": {"schedule": "rate(1 day)"}}, {"eventBridge": {"useCloudFormation": False}}, True),
        ({"http": "GET /"}, {"logs": {"restApi": True}}, True),
        ({"websocket": "$connect"}, {"logs": {"websocket": True}}, True),
        ({"http": "GET /"}, {"logs": {"restApi": {"roleManagedExternally": True}}}, False),
        ({"s3": {"bucket": "photos"}}, {}, False),
        ({"eventBridge": {"schedule": "rate(1 day)"}}, {}, False),
        ({"cognitoUserPool": {"pool": "p", "trigger": "PreSignUp"}}, {}, False),
    ],
)
def test_the_archive_is_made_when_a_function_runs_from_it(
    make_service: MakeService, tmp_path: Path, event: Any, provider: dict[str, Any], used: bool
) -> None:
    service = service_with(make_service, event, provider)
    assert uses_archive(template(service)) == used
    packaged = package(service, tmp_path / "out")
    assert (tmp_path / "out/custom-resources.zip").exists() == used
    assert (Target(Kind.CUSTOM_RESOURCES) in [file.target for file in packaged.built.files]) == used


def test_every_handler_of_the_template_is_in_the_archive(archive: Any) -> None:
    handlers = [
        resource["Properties"]["Handler"]
        for resource in archive.template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function" and "nodejs" in resource["Properties"]["Runtime"]
    ]
    assert len(handlers) == 4
    for handler in handlers:
        file, _, name = handler.rpartition(".")
        assert f"exports.{name} = " in (archive.root / f"{file}.js").read_text()


def test_the_bytes_are_the_same_for_every_service(make_service: MakeService, tmp_path: Path) -> None:
    service = service_with(make_service, BUCKET)
    first, second = package(service, tmp_path / "one"), package(service, tmp_path / "two")
    other = service_with(make_service, {"http": "GET /"}, {"logs": {"restApi": True}}, service="other")
    third = package(other, tmp_path / "three")
    archives = [(tmp_path / name / "custom-resources.zip").read_bytes() for name in ("one", "two", "three")]
    assert len(set(archives)) == 1
    own = first.built.artifacts.custom_resources
    assert own == second.built.artifacts.custom_resources == third.built.artifacts.custom_resources
    assert own.sha256 == next(f.sha256 for f in first.built.files if f.target.kind is Kind.CUSTOM_RESOURCES)
    assert own != Artifacts.synthetic(service, 0).custom_resources


def test_it_lies_where_the_template_looks(make_service: MakeService, tmp_path: Path) -> None:
    packaged = package(service_with(make_service, BUCKET), tmp_path / "out")
    resources = packaged.templates.update_stack["Resources"]
    code = resources["CustomDashresourceDashexistingDashs3LambdaFunction"]["Properties"]["Code"]
    file = next(f for f in packaged.built.files if f.target.kind is Kind.CUSTOM_RESOURCES)
    assert code["S3Key"].rpartition("/")[2] == file.file.name == "custom-resources.zip"
    assert file.file.parent == tmp_path / "out"


def test_another_archive_of_its_name_is_a_mistake(make_service: MakeService) -> None:
    service = service_with(make_service, BUCKET, service="custom-resources")
    plan = plan_package(service)
    with pytest.raises(ConfigErrors) as caught:
        with_custom_resources(plan, template(service))
    (mistake,) = caught.value.errors
    assert (mistake.path, mistake.hint) == (("package",), "rename it")
    without = service_with(make_service, {"http": "GET /"}, service="custom-resources")
    assert with_custom_resources(plan, template(without)) is plan


def test_plugins_that_change_the_users_files_leave_it_alone(make_service: MakeService) -> None:
    service = service_with(make_service, BUCKET)
    plan = with_custom_resources(PackagePlan(service, ()), template(service))
    (artifact,) = plan.artifacts
    more = {artifact.target: [FileSource.of_bytes("more.js", b"")]}
    assert plan.adding(more) == plan.replacing(more) == plan
