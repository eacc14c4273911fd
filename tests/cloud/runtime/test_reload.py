"""Mounted code: the request after a save runs what was saved, and only who read the file starts anew."""

from __future__ import annotations

from typing import Any

import orjson
import pytest


def test_save_then_request_always_runs_the_new_code(lab: Any) -> None:
    """Each text is as long as the one before, and all are written within a second: bytecode must not be trusted."""

    async def story() -> None:
        for number in range(10, 25):
            lab.write("app.py", f"def handler(event, context): return {number}\n")
            assert (await lab.invoke("app.handler", reload=True)).payload == str(number).encode()

    lab.run(story())


def test_syntax_error_is_answered_and_the_next_save_heals(lab: Any) -> None:
    async def story() -> None:
        lab.write("app.py", "def handler(event, context): return 1\n")
        assert (await lab.invoke("app.handler", reload=True)).payload == b"1"
        lab.write("app.py", "def handler(event, context) return 1\n")
        broken = await lab.invoke("app.handler", reload=True)
        assert orjson.loads(broken.payload)["errorType"] == "Runtime.UserCodeSyntaxError"
        lab.write("app.py", "def handler(event, context): return 2\n")
        assert (await lab.invoke("app.handler", reload=True)).payload == b"2"

    lab.run(story())


PID = """
    import os
    import {module}
    def handler(event, context):
        {body}
        return os.getpid()
"""


@pytest.mark.parametrize(
    ("changed", "restarts"),
    [
        ("one.py", (True, False)),
        ("other.py", (False, True)),
        ("late.py", (True, False)),
        ("data.json", (False, True)),
    ],
)
def test_only_who_read_the_file_starts_anew(lab: Any, changed: str, restarts: tuple[bool, bool]) -> None:
    import os
    import time

    lab.write("first.py", PID.format(module="one", body="import late"))
    lab.write("second.py", PID.format(module="other", body="open('data.json').close()"))
    for name in ("one.py", "other.py", "late.py", "data.json"):
        lab.write(name, "0\n")
    old = time.time() - 60
    for path in lab.root.iterdir():
        os.utime(path, (old, old))

    async def story() -> None:
        async def pids() -> list[bytes]:
            return [
                (await lab.invoke(f"{name}.handler", reload=True)).payload for name in ("first", "second")
            ]

        before = await pids()
        assert await pids() == before
        lab.write(changed, "1\n")
        after = await pids()
        assert tuple(a != b for a, b in zip(after, before, strict=True)) == restarts

    lab.run(story())


def test_code_that_is_not_mounted_is_not_watched(lab: Any) -> None:
    async def story() -> None:
        lab.write("app.py", "def handler(event, context): return 1\n")
        assert (await lab.invoke("app.handler")).payload == b"1"
        lab.write("app.py", "def handler(event, context): return 2\n")
        assert (await lab.invoke("app.handler")).payload == b"1"

    lab.run(story())
