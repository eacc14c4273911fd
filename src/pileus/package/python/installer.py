"""Installing what is wanted into a folder, for Lambda's Linux.

Wheels only. A project on the user's disk and a package that comes as source alone are built, here and without a
compiler, and taken when what comes out runs anywhere: a package whose C part is optional is then pure Python, and
one that cannot do without fails with its name, instead of in Lambda.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path as FilePath

from pileus.package.python.lambda_platform import LambdaPlatform
from pileus.package.python.settings import Settings, normalised
from pileus.package.python.tools import (
    failure,
    find_pip,
    find_uv,
    no_index,
    pip_settings,
    run,
    tool_environment,
)
from pileus.package.python.wanted import Wanted
from pileus.service.errors import ConfigError, ConfigErrors

#: uv's ways to say that a package would have to be built.
_MUST_BUILD = re.compile(
    r"Wheels are required for `([^`]+)`|attempted to build `([^`]+)`|Building (?:source distributions )?for `([^`]+)`"
)
_NO_WHEEL = re.compile(r"(?:Because )?([A-Za-z0-9][\w.-]*?)(?:==(\S+))? has no (?:usable )?wheels")
_BUILD_FAILED = re.compile(r"Failed to (?:download and )?build `([^`@=\s]+)")
#: A build that wants a compiler finds none.
_NO_COMPILER = {"CC": "false", "CXX": "false", "CARGO": "false", "RUSTC": "false", "FC": "false"}


@dataclass(frozen=True, slots=True)
class Installed:
    """`built` are the normalised names of what was built here."""

    built: frozenset[str] = frozenset()


def install(
    wanted: Wanted,
    settings: Settings,
    platform: LambdaPlatform,
    into: FilePath,
    work: FilePath,
    builds: FilePath,
) -> Installed:
    """Install into the folder `into`. `work` holds files in between, `builds` the cache of what is built here.
    Raises ConfigErrors."""
    uv = find_uv()
    if uv is not None:
        return _Uv(uv, wanted, settings, platform, work, builds).install(into)
    pip = find_pip()
    if pip is None:
        raise ConfigErrors(
            [ConfigError("neither uv nor pip is there to install the dependencies", mark=wanted.source.mark,
                         hint="pip install uv")]
        )  # fmt: skip
    return _with_pip(pip, wanted, settings, platform, into, work)


class _Uv:
    def __init__(
        self,
        uv: str,
        wanted: Wanted,
        settings: Settings,
        platform: LambdaPlatform,
        work: FilePath,
        builds: FilePath,
    ) -> None:
        self.uv = uv
        self.wanted = wanted
        self.settings = settings
        self.platform = platform
        self.work = work
        self.builds = builds

    def install(self, into: FilePath) -> Installed:
        """What must be built is learned from uv's refusals, one by one: most projects have none."""
        built: set[str] = set()
        while True:
            result = self.run([*self.command(into, self.platform), *self.requirements()], built)
            if result.returncode == 0:
                return Installed(frozenset(normalised(name) for name in built))
            told = _MUST_BUILD.findall(_in_one_line(result.stderr))
            new = {next(filter(None, groups)).split("==")[0] for groups in told}
            if not new - built:
                raise ConfigErrors([self.explain(result)])
            built |= new

    def run(self, command: list[str], built: set[str]) -> subprocess.CompletedProcess[str]:
        environment: dict[str, str] = {}
        if built:
            # Without a compiler a wheel may lack its fast part: it must not get into the user's own cache.
            environment = {**_NO_COMPILER, "UV_CACHE_DIR": str(self.builds)}
            # Of a folder uv looks at the stamps of its pyproject.toml alone: what it built before may be old.
            flags = [("--no-binary", name, "--refresh-package", name) for name in sorted(built)]
            command = [*command, *(word for words in flags for word in words)]
        if self.wanted.indexes:
            known = tool_environment(self.wanted.source.folder).get("UV_INDEX", "")
            environment["UV_INDEX"] = " ".join([*self.wanted.indexes, known]).strip()
        return run(command, self.wanted.source.folder, environment)

    def command(self, into: FilePath, platform: LambdaPlatform) -> list[str]:
        command = [
            self.uv, "pip", "install", "--target", str(into), "--python", sys.executable,
            "--python-version", platform.python, "--python-platform", platform.uv_name(chosen=self.wanted.chosen),
            "--only-binary", ":all:", "--link-mode", "copy",
        ]  # fmt: skip
        if no_index(self.wanted.source.folder):
            command.append("--no-index")
        if not self.settings.use_download_cache:
            command.append("--no-cache")
        return [*command, *self.settings.pip_arguments]

    def requirements(self) -> list[str]:
        if self.wanted.project is not None:
            return ["--requirement", str(self.wanted.project)]
        file = ["--requirement", str(_write_lines(self.wanted, self.work))]
        if self.wanted.locked:
            return ["--no-deps", *file]
        # One hash asks for all, as pip has it: a line that slipped through unhashed would be no protection.
        return [*(["--require-hashes"] if any("--hash" in line for line in self.wanted.lines) else []), *file]

    def explain(self, result: subprocess.CompletedProcess[str]) -> ConfigError:
        """uv's refusal as a mistake at the line that wants the package, with a remedy."""
        told = _in_one_line(result.stderr)
        refused = _NO_WHEEL.search(told) or _BUILD_FAILED.search(told)
        if refused is None:
            return ConfigError(
                f"uv cannot install the dependencies:\n{failure(result)}", mark=self.wanted.source.mark
            )
        name = refused[1]
        version = (refused[2] or "") if refused.re is _NO_WHEEL else ""
        mark = self.wanted.roots.get(normalised(name), self.wanted.source.mark)
        message = f"{name} {version}".strip() + f" has no wheel for {self.platform}"
        if refused.re is _BUILD_FAILED:
            last = [line.strip() for line in failure(result).splitlines() if "rror: " in line]
            message += f", and building it without a compiler fails: {last[-1] if last else 'see its setup'}"
        else:
            message += f":\n{failure(result)}"
        return ConfigError(message, mark=mark, hint=self.remedy(name, version))

    def remedy(self, name: str, version: str) -> str:
        """Asks the index what would fit: another version here, or this version on the newest runtime."""
        here = self.would_take(name, self.platform)
        if here:
            return f"{here} has one"
        newest = LambdaPlatform("3.13", self.platform.architecture)
        wanted = f"{name}=={version}" if version else name
        if self.platform.glibc < newest.glibc and self.would_take(wanted, newest):
            return "it has one for the runtimes from python3.12 on, whose glibc is newer"
        other = LambdaPlatform(
            self.platform.python, "x86_64" if self.platform.architecture == "arm64" else "arm64"
        )
        if self.would_take(wanted, other):
            return f"it has one for {other.architecture}"
        return (
            "take another version or package, or put a build of it for Lambda into a folder named as `vendor`"
        )

    def would_take(self, requirement: str, platform: LambdaPlatform) -> str:
        command = [*self.command(self.work / "none", platform), "--dry-run", "--no-deps", requirement]
        result = run(command, self.wanted.source.folder)
        name = re.split(r"[=<>~!\[; ]", requirement, maxsplit=1)[0]
        found = re.search(rf"^ \+ ({re.escape(normalised(name))}==\S+)", result.stderr, re.MULTILINE)
        return found[1].replace("==", " ") if result.returncode == 0 and found else ""


def _in_one_line(text: str) -> str:
    """uv wraps what it says at the width of a terminal, wherever a name stands then."""
    return " ".join(text.split())


def _with_pip(
    pip: list[str],
    wanted: Wanted,
    settings: Settings,
    platform: LambdaPlatform,
    into: FilePath,
    work: FilePath,
) -> Installed:
    """Where there is no uv. pip builds nothing for another platform."""
    if wanted.project is not None:
        raise ConfigErrors(
            [ConfigError("pyproject.toml without a lock can only be installed by uv, which is not there",
                         mark=wanted.source.mark, hint="pip install uv")]
        )  # fmt: skip
    command = [
        *pip, "install", "--quiet", "--target", str(into), "--python-version", platform.python, "--implementation",
        "cp", "--only-binary=:all:", "--no-compile", "--requirement", str(_write_lines(wanted, work)),
    ]  # fmt: skip
    for tag in platform.wheel_platforms:
        command += ["--platform", tag]
    if wanted.locked:
        command.append("--no-deps")
    if not settings.use_download_cache:
        command.append("--no-cache-dir")
    indexes = " ".join([*wanted.indexes, pip_settings().get("extra-index-url", "")]).strip()
    environment = {"PIP_EXTRA_INDEX_URL": indexes} if wanted.indexes else {}
    result = run([*command, *settings.pip_arguments], wanted.source.folder, environment)
    if result.returncode:
        raise ConfigErrors(
            [ConfigError(f"pip cannot install the dependencies:\n{failure(result)}", mark=wanted.source.mark,
                         hint="with uv (`pip install uv`) packages that come as source alone are built")]
        )  # fmt: skip
    return Installed()


def _write_lines(wanted: Wanted, work: FilePath) -> FilePath:
    file = work / "wanted.txt"
    file.write_text("\n".join(wanted.lines) + "\n", "utf-8")
    return file
