"""What is imported ahead, and that it changes nothing for the function."""

from __future__ import annotations

import sys
from typing import Any

import orjson
import pytest

from pileus.cloud.interpreters import base_variables, start

LOADED = """
    import sys
    before = {name: name in sys.modules for name in ("yaml", "dateutil.parser", "botocore.client", "helper")}
    import yaml, boto3
    from dateutil import parser
    import helper
    client = boto3.client("sqs")
    def handler(event, context):
        return before
"""


def test_third_party_modules_are_there_before_the_handler_is(lab: Any) -> None:
    lab.write("app.py", LOADED)
    lab.write("helper.py", "from dateutil.parser import parse\n")

    async def story() -> None:
        found = orjson.loads((await lab.invoke("app.handler")).payload)
        assert found == {"yaml": True, "dateutil.parser": True, "botocore.client": True, "helper": False}

    lab.run(story())


def test_a_module_of_the_project_wins_over_one_imported_ahead(lab: Any) -> None:
    lab.write("statistics.py", "OWN = True\n")
    lab.write("secrets.py", "OWN = True\n")
    lab.write(
        "app.py", "import secrets, statistics\ndef handler(e, c): return [secrets.OWN, statistics.OWN]\n"
    )

    async def story() -> None:
        assert (await lab.invoke("app.handler")).payload == b"[true, true]"

    lab.run(story())


def test_a_module_that_reads_a_variable_as_it_is_imported_sees_the_functions_own(lab: Any) -> None:
    """aws_lambda_powertools looks at POWERTOOLS_DEBUG at import: the function that sets it gets another zygote."""
    lab.write(
        "app.py",
        """
        import logging
        import aws_lambda_powertools
        def handler(event, context):
            return logging.getLogger("aws_lambda_powertools").level
        """,
    )

    async def story() -> None:
        plain = (await lab.invoke("app.handler")).payload
        debug = (await lab.invoke("app.handler", variables={"POWERTOOLS_DEBUG": "true"})).payload
        assert debug == b"10"
        assert plain != debug
        assert (await lab.invoke("app.handler", memory=256)).payload == plain

    lab.run(story())


def test_each_environment_draws_its_own_random_numbers(lab: Any) -> None:
    lab.write("app.py", "import random\nN = random.random()\ndef handler(e, c): return N\n")

    async def story() -> None:
        first = (await lab.invoke("app.handler")).payload
        assert (await lab.invoke("app.handler", memory=256)).payload != first

    lab.run(story())


def test_interpreter_that_differs_from_the_runtime_is_noted_once(lab: Any) -> None:
    import sys
    from dataclasses import replace

    from pileus.cloud.runtime import Event

    lab.write("app.py", "def handler(e, c): return 1\n")
    other = "python3.14" if sys.version_info[:2] != (3, 14) else "python3.13"

    async def story() -> None:
        for memory in (128, 256):
            spec = replace(lab.spec("app.handler", memory=memory), runtime=other)
            await lab.runtime.submit(spec, Event("1", b"{}", spec.arn, ""))
        assert len(lab.notes) == 1
        assert lab.notes[0].startswith(f"{other} functions run on Python 3.")

    lab.run(story())


def test_boto3_is_provided_where_the_project_has_none(lab: Any, tmp_path: Any) -> None:
    """As in Lambda; what else Pileus has installed is not there."""
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "code/.venv")], check=True)
    lab.write(
        "app.py",
        """
        import importlib.util as u
        import boto3
        boto3.client("sqs")
        def handler(event, context):
            return [name for name in ("boto3", "botocore", "uvicorn", "orjson", "pileus") if u.find_spec(name)]
        """,
    )

    async def story() -> None:
        assert (await lab.invoke("app.handler")).payload == b'["boto3", "botocore"]'

    lab.run(story())


@pytest.mark.parametrize(
    ("variables", "adopted"), [({"COLOUR": "red"}, True), ({"LD_LIBRARY_PATH": "/opt/lib"}, False)]
)
def test_an_interpreter_that_runs_already_is_taken_where_it_suits(
    lab: Any, variables: dict[str, str], adopted: bool
) -> None:
    """LD_ variables are read when a process starts, so that one is too late for them."""
    lab.write(
        "app.py",
        """
        import os
        def handler(event, context):
            return {"parent": os.getppid(), **{name: os.environ.get(name) for name in event}}
        """,
    )
    started = start(sys.executable, base_variables(sys.executable))
    lab.started = started

    async def story() -> None:
        names = orjson.dumps(list(variables))
        found = orjson.loads((await lab.invoke("app.handler", names, variables=variables)).payload)
        assert (found.pop("parent") == started.process.pid) is adopted
        assert found == variables

    lab.run(story())
    assert started.process.wait(5) != 0  # stopped with the runtime, adopted or not


def test_an_interpreter_that_nothing_took_ends() -> None:
    started = start(sys.executable, base_variables(sys.executable))
    started.close()
    started.close()
    assert started.process.returncode is not None
    assert not started.suits(sys.executable, {})
