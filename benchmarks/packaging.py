"""`pileus package` and `pileus print` beside `serverless package` and `serverless print`: whole processes, wall time.

Both package the same folder with the same `--package`, each into a folder of its own outside of it. The first run of each,
which fills caches, does not count; nothing changes between the others.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from .clouds import Rounds
from .figures import Row, Sample, interleaved
from .peers import OURS_BIN, bundle, npm_bin
from .processes import BenchmarkError, environment
from .run import Run

_SECONDS = 300
_HELP_MILLISECONDS = 150
_UPDATE = "cloudformation-template-update-stack.json"
Command = Callable[[], list[str]]


def package(run: Run) -> list[Row]:
    service = _reference(run)
    rows = [_packages(run, service, "reference service, package", 5)]
    for entry in bundle(service / "requirements.txt").iterdir():
        if entry.is_dir():
            shutil.copytree(entry, service / entry.name, symlinks=True)
        elif entry.suffix == ".py" or entry.suffix == ".so":
            shutil.copy(entry, service / entry.name)
    rows.append(_packages(run, service, "the same with its dependencies beside it, package again", 5))
    return rows


def printing(run: Run) -> list[Row]:
    service = _reference(run)
    commands: dict[str, Command] = {
        "pileus": lambda: [str(OURS_BIN / "pileus"), "print"],
        "serverless": lambda: [str(npm_bin() / "serverless"), "print"],
    }
    said = {name: _timed(command(), service)[1] for name, command in commands.items()}
    if said["pileus"].strip() != said["serverless"].strip():
        raise BenchmarkError(
            "pileus print and serverless print say different things of the reference service"
        )
    helped = {"pileus": lambda: [str(OURS_BIN / "pileus"), "--help"]}
    rounds = _rounds(run, "print", service, commands)
    help_rounds = _rounds(run, "--help", service, helped, scale=1000)
    return [
        rounds.row("print", "reference service, print", "s", {"serverless": 8}),
        help_rounds.row("print", "pileus --help", "ms", at_most=_HELP_MILLISECONDS),
    ]


def _packages(run: Run, service: Path, case: str, times: float) -> Row:
    outs = {name: run.scratch(f"out-{name}") for name in ("pileus", "serverless")}
    programs = {"pileus": OURS_BIN / "pileus", "serverless": npm_bin() / "serverless"}

    def command(name: str) -> Command:
        return lambda: [str(programs[name]), "package", "--package", str(outs[name])]

    rounds = _rounds(run, case, service, {name: command(name) for name in programs})
    if not rounds.failures:
        _check_same(outs)
    return rounds.row("package", case, "s", {"serverless": times})


def _reference(run: Run) -> Path:
    folder = run.scratch("reference") / "bench-reference"
    _timed([str(OURS_BIN / "pileus"), "new", str(folder)], folder.parent)
    return folder


def _rounds(run: Run, case: str, folder: Path, commands: dict[str, Command], scale: float = 1) -> Rounds:
    rounds = Rounds()
    for number, name in interleaved(list(commands), run.starts + 1):
        if name in rounds.failures:
            continue
        run.say(f"package: {case}, {name}, {number or 'first'}")
        try:
            seconds, _ = _timed(commands[name](), folder)
        except BenchmarkError as error:
            rounds.failures[name] = str(error)
            continue
        if number:
            rounds.samples.setdefault(name, []).append(Sample(seconds * scale))
    return rounds


def _timed(command: list[str], folder: Path) -> tuple[float, str]:
    """Seconds of the whole process, and what it printed."""
    env = environment(
        SLS_TELEMETRY_DISABLED="1", SLS_TRACKING_DISABLED="1", SLS_NOTIFICATIONS_MODE="off", CI="1"
    )
    env["PATH"] = f"{Path(sys.prefix) / 'bin'}:{env['PATH']}"
    began = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise BenchmarkError(
            f"{' '.join(command)} ended with {done.returncode}:\n{(done.stderr or done.stdout)[-2000:]}"
        )
    return seconds, done.stdout


def _check_same(outs: dict[str, Path]) -> None:
    """What takes less time must not be less: the same resources, by type."""
    kinds = {}
    for name, out in outs.items():
        template = json.loads((out / _UPDATE).read_text())
        kinds[name] = Counter(resource["Type"] for resource in template["Resources"].values())
    if kinds["pileus"] != kinds["serverless"]:
        different = (kinds["pileus"] - kinds["serverless"]) + (kinds["serverless"] - kinds["pileus"])
        raise BenchmarkError(f"the templates differ in {', '.join(different)}")
