"""Who is compared: the peers, installed from the package registries at the versions in peers/, and how each starts."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from .processes import BenchmarkError, Processes, Running, environment, free_port

HERE = Path(__file__).parent
PINS = HERE / "peers"
INSTALLED = HERE / ".peers"
OURS_BIN = Path(sys.prefix) / "bin"
_INSTALL_SECONDS = 900


@cache
def npm_bin() -> Path:
    """Where serverless@3 with serverless-offline@13 is; installs it at first."""
    folder = INSTALLED / "npm"
    if shutil.which("npm") is None:
        raise BenchmarkError("npm is not installed: apt-get install nodejs npm (node 20 or later)")
    lock = PINS / "package-lock.json"
    if not _is_current(folder, lock):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PINS / name, folder / name)
        _install(
            "serverless and serverless-offline",
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            folder,
        )
        _note_installed(folder, lock)
    return folder / "node_modules" / ".bin"


@cache
def python_bin() -> Path:
    """Where moto's server and MiniStack are, in a virtual environment of their own; installs them at first."""
    folder = INSTALLED / "python"
    pins = PINS / "requirements.txt"
    if not _is_current(folder, pins):
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        pip = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        _install("moto and MiniStack", [*pip, "-r", str(pins)], folder)
        _note_installed(folder, pins)
    return folder / "bin"


@cache
def bundle(requirements: Path) -> Path:
    """The wheels of a requirements file for Lambda's Linux, unpacked beside each other, as `make bundle` of the
    reference service does; installs them at first."""
    folder = INSTALLED / "bundle"
    if not _is_current(folder, requirements):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        platforms = ["--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64"]
        target = ["--only-binary=:all:", "--implementation", "cp", "--python-version", "3.11", "--target"]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command = [*pip, "-r", str(requirements), *platforms, *target, str(folder)]
        _install("the reference service's dependencies", command, folder)
        shutil.rmtree(folder / "bin", ignore_errors=True)
        _note_installed(folder, requirements)
    return folder


def _is_current(folder: Path, pins: Path) -> bool:
    stamp = folder / ".installed"
    return stamp.is_file() and stamp.read_text() == hashlib.sha256(pins.read_bytes()).hexdigest()


def _note_installed(folder: Path, pins: Path) -> None:
    (folder / ".installed").write_text(hashlib.sha256(pins.read_bytes()).hexdigest())


def _install(what: str, command: list[str], cwd: Path) -> None:
    print(f"Installing {what} into {cwd} …", file=sys.stderr, flush=True)
    done = subprocess.run(
        command, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=_INSTALL_SECONDS
    )
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


def versions() -> dict[str, str]:
    """Of everything that is compared."""
    found = {"Pileus": metadata.version("pileus")}
    for line in (PINS / "requirements.txt").read_text().splitlines():
        name, _, version = line.partition("==")
        if name in ("moto", "ministack"):
            found[name] = version
    for line in (PINS / "package.json").read_text().splitlines():
        name, _, version = line.strip().strip(",").partition(": ")
        if name.strip('"') in ("serverless", "serverless-offline"):
            found[name.strip('"')] = version.strip('"')
    return found


@dataclass(frozen=True, slots=True)
class Cloud:
    """An emulator that is running: its label in tables and its endpoint."""

    label: str
    port: int
    server: Running

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


CloudStart = Callable[[Processes, Path], Cloud]


def pileus_durable(processes: Processes, folder: Path) -> Cloud:
    return _pileus(processes, folder, "pileus", "--state", str(folder / "state"))


def pileus_ephemeral(processes: Processes, folder: Path) -> Cloud:
    return _pileus(processes, folder, "pileus --ephemeral", "--ephemeral")


def _pileus(processes: Processes, folder: Path, label: str, *options: str) -> Cloud:
    port = free_port()
    command = [str(OURS_BIN / "pileus"), "cloud", "--port", str(port), *options]
    return Cloud(label, port, processes.start("pileus", command, cwd=folder, env=environment()))


def moto(processes: Processes, folder: Path) -> Cloud:
    port = free_port()
    command = [str(python_bin() / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    return Cloud("moto", port, processes.start("moto", command, cwd=folder, env=environment()))


def ministack(processes: Processes, folder: Path) -> Cloud:
    port = free_port()
    env = environment(GATEWAY_PORT=str(port), BIND_HOST="127.0.0.1", TMPDIR=str(folder))
    command = [str(python_bin() / "ministack")]
    return Cloud("ministack", port, processes.start("ministack", command, cwd=folder, env=env))


#: In the order of the tables' columns. Each in its default configuration, but on loopback.
CLOUDS: dict[str, CloudStart] = {
    "pileus": pileus_durable,
    "pileus --ephemeral": pileus_ephemeral,
    "moto": moto,
    "ministack": ministack,
}


def serverless_offline(processes: Processes, service: Path, http_port: int) -> Running:
    """`serverless offline` in a service's folder. Python handlers run on the interpreter that runs Pileus, too."""
    bin_folder = npm_bin()
    modules = service / "node_modules"
    if not modules.exists():
        modules.symlink_to(bin_folder.parent, target_is_directory=True)
    env = environment(SLS_TELEMETRY_DISABLED="1", SLS_NOTIFICATIONS_MODE="off", VIRTUAL_ENV=sys.prefix)
    env["PATH"] = f"{OURS_BIN}:{env['PATH']}"
    command = [str(bin_folder / "serverless"), "offline", "start", "--stage", "dev", "--host", "127.0.0.1"]
    command += ["--httpPort", str(http_port), "--lambdaPort", str(free_port())]
    return processes.start("serverless-offline", command, cwd=service, env=env)


def pileus_offline(
    processes: Processes, service: Path, http_port: int, *options: str, cache: Path | None = None
) -> Running:
    """`pileus offline` in a service's folder. cache: where compiled models are kept, for a start without any."""
    env = environment(**({"XDG_CACHE_HOME": str(cache)} if cache else {}))
    command = [str(OURS_BIN / "pileus"), "offline", "--stage", "dev", "--http-port", str(http_port)]
    command += ["--port", str(free_port()), *options]
    return processes.start("pileus-offline", command, cwd=service, env=env)
