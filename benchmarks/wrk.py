"""wrk, the load generator: a C program, so that the client is not what is measured."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .figures import Sample
from .processes import BenchmarkError

_SCRIPT = Path(__file__).with_name("replay.lua")
_APT = ["apt-get", "install", "--yes", "--no-install-recommends", "wrk"]


def ensure() -> None:
    """Sees to it that wrk is there: says how to install it, or as root does so."""
    if shutil.which("wrk") is not None:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise BenchmarkError("wrk is not installed: sudo apt-get install wrk")
    print(f"Installing the load generator: {' '.join(_APT)}", file=sys.stderr, flush=True)
    subprocess.run(["apt-get", "update", "--quiet"], check=False, capture_output=True, timeout=300)
    done = subprocess.run(_APT, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise BenchmarkError(f"{' '.join(_APT)} failed:\n{done.stderr[-2000:]}")


def load(url: str, prepared: Path, *, connections: int, seconds: float) -> Sample:
    """Sends the requests of `prepared` (see prepared.py) in turn over `connections` connections, for `seconds`; for
    longer where a server is too slow to answer anything in that time.

    Gives requests/s and latencies. Raises BenchmarkError if a single answer was not a 2xx or a connection broke: a
    server that refuses quickly would look fast.
    """
    for times in (1, 5):
        sample = _load(url, prepared, connections, max(seconds, 1.0) * times)
        if sample is not None:
            return sample
    raise BenchmarkError(f"{url} answered nothing within {max(seconds, 1.0) * 5:.0f} s")


def _load(url: str, prepared: Path, connections: int, seconds: float) -> Sample | None:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "10s", "-s"]
    command += [str(_SCRIPT), url, "--", str(prepared)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30)
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"wrk did not end: {' '.join(command)}") from None
    result = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
    if done.returncode or result is None:
        raise BenchmarkError(f"wrk failed ({done.returncode}): {(done.stderr or done.stdout)[-1000:]}")
    found = json.loads(result.removeprefix("RESULT "))
    wrong = {kind: found[kind] for kind in ("status", "connect", "read", "write", "timeout") if found[kind]}
    if wrong:
        raise BenchmarkError(f"of {found['requests']} requests to {url} some were not answered well: {wrong}")
    if not found["requests"]:
        return None
    return Sample(found["requests"] / found["duration"] * 1e6, found["p50"] / 1000, found["p99"] / 1000)
