"""uv and pip as child processes: where they are, what they are told of the user's indexes, what they say.

uv knows its own configuration. pip's (pip.conf and PIP_*) is handed on to it where uv has none, through the
environment, so that no credentials stand in an argument list; in messages they are blotted out.
"""

import configparser
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path as FilePath

from pileus.service.errors import ConfigError, ConfigErrors

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_CHATTER = re.compile(
    r"^(Using CPython|Resolved |Prepared |Installed |Downloading |\s*Downloaded |Building |\s*Built )"
)
#: Settings of uv's that decide where packages come from and which are taken.
_UV_INDEXES = (
    "UV_CONFIG_FILE",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
)
_UV_CHOICES = (
    "UV_INDEX_STRATEGY",
    "UV_PRERELEASE",
    "UV_RESOLUTION",
    "UV_EXCLUDE_NEWER",
    "UV_CONSTRAINT",
    "UV_OVERRIDE",
)


def find_uv() -> str | None:
    """The uv that came with Pileus, else the one on the PATH."""
    if importlib.util.find_spec("uv") is not None:
        import uv

        try:
            return str(uv.find_uv_bin())
        except FileNotFoundError:
            pass
    return shutil.which("uv")


def find_pip() -> list[str] | None:
    """The start of a command line that runs pip."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip3") or shutil.which("pip")
    return [found] if found else None


def run(
    command: list[str], folder: FilePath, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end with its output caught. Raises ConfigErrors when it cannot be started."""
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env={**tool_environment(folder), **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise ConfigErrors([ConfigError(f"cannot run {command[0]}: {error.strerror}")]) from None


def failure(result: subprocess.CompletedProcess[str]) -> str:
    """What a tool said of its failure, without chatter and credentials."""
    text = _COLOURS.sub("", result.stderr.strip() or result.stdout.strip())
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not _CHATTER.match(line)]
    return without_credentials("\n".join(lines[-40:])) or f"exit code {result.returncode}"


def without_credentials(text: str) -> str:
    return _CREDENTIALS.sub("***@", text)


def tool_environment(folder: FilePath) -> dict[str, str]:
    """This process's environment for a child: nothing is downloaded but packages, nothing is coloured or asked."""
    environment = dict(os.environ)
    for name in (
        "UV_COMPILE_BYTECODE",
        "UV_SYSTEM_PYTHON",
        "VIRTUAL_ENV",
        "PYTHONPATH",
        "PIP_TARGET",
        "PIP_USER",
    ):
        environment.pop(name, None)
    environment |= {
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "NO_COLOR": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }
    if not uv_knows_indexes(folder):
        environment |= _as_uv(pip_settings())
    return environment


def no_index(folder: FilePath) -> bool:
    """Whether pip is told to ask no index: uv takes that as an argument only."""
    said = pip_settings().get("no-index", "").lower() in ("1", "true", "yes", "on")
    return said and not uv_knows_indexes(folder)


def uv_knows_indexes(folder: FilePath) -> bool:
    """Whether uv's own environment or files say where packages come from."""
    if any(os.environ.get(name) for name in _UV_INDEXES):
        return True
    return any(b"index" in text or b"find-links" in text for text in _uv_files(folder))


def index_settings(folder: FilePath) -> list[object]:
    """What decides where packages come from, for the cache's key: the same lines from elsewhere may differ."""
    chosen = [(name, os.environ[name]) for name in (*_UV_INDEXES, *_UV_CHOICES) if os.environ.get(name)]
    pip = [] if uv_knows_indexes(folder) else sorted(pip_settings().items())
    return [*chosen, *_uv_files(folder), *pip]


def _uv_files(folder: FilePath) -> list[bytes]:
    """The content of uv's configuration files: the one that the environment names, else the nearest of the project's
    and of the folders above, the user's, the machine's."""
    own = os.environ.get("UV_CONFIG_FILE")
    if own:
        return [FilePath(own).read_bytes()] if FilePath(own).is_file() else []
    config = FilePath(os.environ.get("XDG_CONFIG_HOME") or FilePath.home() / ".config")
    files = [config / "uv" / "uv.toml", FilePath("/etc/uv/uv.toml")]
    texts = [file.read_bytes() for file in files if file.is_file()]
    for above in (folder.resolve(), *folder.resolve().parents):
        if (file := above / "uv.toml").is_file():
            return [file.read_bytes(), *texts]
        if (file := above / "pyproject.toml").is_file() and b"[tool.uv" in (text := file.read_bytes()):
            return [text, *texts]
    return texts


def pip_settings() -> dict[str, str]:
    """pip's own settings of indexes: its files, the later over the earlier, and its environment over both."""
    found: dict[str, str] = {}
    names = ("index-url", "extra-index-url", "find-links", "no-index", "cert", "trusted-host")
    for file in _pip_files():
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, "utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself will tell
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= {name: value for name, value in parser.items(section) if name in names}
    for name in names:
        value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
        if value:
            found[name] = value
    return found


def _pip_files() -> list[FilePath]:
    own = os.environ.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return []
    home = FilePath.home()
    if sys.platform == "win32":
        files = [FilePath(os.environ.get("APPDATA", home)) / "pip" / "pip.ini"]
    else:
        config = FilePath(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        mac = home / "Library" / "Application Support" / "pip" / "pip.conf"
        files = [FilePath("/etc/pip.conf"), home / ".pip" / "pip.conf", mac, config / "pip" / "pip.conf"]
    prefix = FilePath(sys.prefix) / ("pip.ini" if sys.platform == "win32" else "pip.conf")
    return [*files, prefix, *([FilePath(own)] if own else [])]


def _as_uv(settings: Mapping[str, str]) -> dict[str, str]:
    """pip's settings as uv's environment. Folders that are not there are left out, as pip passes over them."""
    environment: dict[str, str] = {}
    if settings.get("index-url"):
        environment["UV_DEFAULT_INDEX"] = settings["index-url"]
    if extra := _there(settings.get("extra-index-url", "")):
        environment["UV_INDEX"] = " ".join(extra)
        # As pip has it: the best version of all indexes. uv's own way, the first index that knows the name, is for
        # who configures uv.
        environment["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if links := _there(settings.get("find-links", "")):
        environment["UV_FIND_LINKS"] = ",".join(links)
    if settings.get("cert"):
        environment["SSL_CERT_FILE"] = settings["cert"]
    if settings.get("trusted-host"):
        environment["UV_INSECURE_HOST"] = " ".join(settings["trusted-host"].split())
    return environment


def _there(places: str) -> list[str]:
    """The URLs of a list, and those of its folders that exist."""
    return [
        place
        for place in places.split()
        if ("://" in place and not place.startswith("file:"))
        or FilePath(place.removeprefix("file://")).is_dir()
    ]
