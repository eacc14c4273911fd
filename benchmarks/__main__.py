"""`python -m benchmarks`: all benchmarks, or those named with --only, and the table."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from . import dynamodb, functions, packaging, peers, report, s3, sqs, startup
from .figures import Row
from .processes import BenchmarkError, Processes
from .run import Run

BENCHMARKS: dict[str, Callable[[Run], list[Row]]] = {
    "package": packaging.package,
    "print": packaging.printing,
    "startup": startup.run,
    "functions": functions.run,
    "dynamodb": dynamodb.run,
    "sqs": sqs.run,
    "s3": s3.run,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Pileus side by side with its peers, on this machine."
    )
    parser.add_argument(
        "--only", action="append", choices=list(BENCHMARKS), help="repeatable; all by default"
    )
    parser.add_argument("--quick", action="store_true", help="one short round: to see that it works")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement (default 3)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of load a round (default 3)")
    parser.add_argument(
        "--starts", type=int, default=5, help="of each server whose start is timed (default 5)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--write-docs", action="store_true", help=f"put the table into {report.DOCS.name}")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.starts = 1, 1.0, 1
    facts = report.machine()
    peers.INSTALLED.mkdir(exist_ok=True)
    for left in peers.INSTALLED.glob("run-*-*"):  # by a run that was killed
        if not Path("/proc", left.name.split("-")[1]).exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=peers.INSTALLED))
    rows: list[Row] = []
    try:
        with Processes(folder) as processes:
            run = Run(
                processes,
                folder,
                rounds=arguments.rounds,
                seconds=arguments.seconds,
                starts=arguments.starts,
                requests=200 if arguments.quick else 1000,
            )
            for name in arguments.only or BENCHMARKS:
                rows += BENCHMARKS[name](run)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; all servers are stopped", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    versions = peers.versions()
    if arguments.json:
        print(json.dumps(report.as_json(rows, versions, facts), indent=2))
    else:
        print(report.plain(rows))
    if arguments.write_docs:
        settings = (
            f"medians of {arguments.rounds} rounds of {arguments.seconds:g} s, {arguments.starts} starts"
        )
        report.write_docs(report.markdown(rows, versions, facts, settings))
    return 1 if any(row.failures for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
