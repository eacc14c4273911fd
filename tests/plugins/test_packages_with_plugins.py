"""`package` with plugins: what they bring lies in the archives, and the template names it."""

import json
import zipfile
from pathlib import Path

import pytest

from pileus.deploy.project import Project
from pileus.service import ConfigErrors

YAML = """
service: shop
plugins: [serverless-plugin-warmup, serverless-iam-roles-per-function%s]
provider: {name: aws, runtime: python3.12}
custom: {warmup: {default: {enabled: true}}}
functions:
  one: {handler: handler.h, iamRoleStatements: []}
"""


def package(folder: Path, more: str = "") -> Path:
    (folder / "serverless.yml").write_text(YAML % more)
    (folder / "handler.py").write_text("def h(event, context): return 1\n")
    project = Project(folder, options={}, environ={})
    project.package(project.load().service, folder / ".serverless")
    return folder / ".serverless"


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as zipped:
        return zipped.namelist()


def test_a_warmer_has_an_archive_of_its_own(tmp_path: Path) -> None:
    out = package(tmp_path)
    assert names(out / "warmUpPluginDefault.zip") == [".warmup/default/index.mjs"]
    assert names(out / "shop.zip") == ["handler.py"]
    template = json.loads((out / "cloudformation-template-update-stack.json").read_text())
    code = template["Resources"]["WarmUpPluginDefaultLambdaFunction"]["Properties"]
    assert code["Code"]["S3Key"].endswith("/warmUpPluginDefault.zip")
    assert code["Handler"] == ".warmup/default/index.warmUp"
    assert "OneIamRoleLambdaExecution" in template["Resources"]
    assert not (tmp_path / ".warmup").exists()


def test_nothing_is_written_where_a_plugin_refuses(tmp_path: Path) -> None:
    (tmp_path / "pileus_plugins.py").write_text(
        "from pileus.plugins import hookimpl\n"
        "from pileus.service import ConfigErrors\n"
        "@hookimpl\n"
        "def packaged(plan):\n"
        "    raise ConfigErrors([plan.service.mistake('no', ('custom',))])\n"
    )
    with pytest.raises(ConfigErrors, match="no"):
        package(tmp_path)
    assert not (tmp_path / ".serverless").exists()
