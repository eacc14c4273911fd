"""`.pyc` beside the sources, so that a cold start compiles nothing: /var/task cannot be written to in Lambda.

They are of the unchecked-hash kind (PEP 552): no time stamp in them, and Python does not look at the source at all.
Only an interpreter of the runtime's own version can write them. The work is cut into pieces that do not depend on
the number of processors: marshalled bytes depend a little on what the same process compiled before.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path as FilePath

from pileus.package.python.lambda_platform import LambdaPlatform
from pileus.package.python.tools import find_uv, run

_PIECES = 4

#: argv: the folder, and the folder's name in Lambda; the standard input names the files. Runs in any Python 3.8+.
_COMPILE = """
import importlib.util, marshal, os, sys
folder, prefix = sys.argv[1:]
for name in sys.stdin.read().splitlines():
    with open(os.path.join(folder, name), "rb") as file:
        source = file.read()
    try:
        code = compile(source, prefix + "/" + name, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        continue
    target = importlib.util.cache_from_source(os.path.join(folder, name), optimization="")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(importlib.util.MAGIC_NUMBER + b"\\x01\\0\\0\\0" + importlib.util.source_hash(source))
        marshal.dump(code, file)
"""


def interpreter(platform: LambdaPlatform, python_bin: str, folder: FilePath) -> str | None:
    """An interpreter of the platform's version: the user's, this one, the project's, or one that uv finds."""
    candidates = [python_bin, sys.executable, str(folder / ".venv" / "bin" / "python")]
    for candidate in candidates:
        if candidate and FilePath(candidate).is_file() and _version(candidate) == platform.python:
            return candidate
    uv = find_uv()
    if uv is None:
        return None
    result = run([uv, "python", "find", "--no-project", platform.python], folder)
    found = result.stdout.strip()
    return found if result.returncode == 0 and _version(found) == platform.python else None


def _version(python: str) -> str:
    if python == sys.executable:
        return f"{sys.version_info[0]}.{sys.version_info[1]}" if sys.implementation.name == "cpython" else ""
    say = "import sys; print(sys.implementation.name == 'cpython' and '%d.%d' % sys.version_info[:2])"
    try:
        result = subprocess.run([python, "-I", "-c", say], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return result.stdout.strip()


def precompile(folder: FilePath, python: str, prefix: str) -> None:
    """Write the `.pyc` of every module of a folder that will be `prefix` in Lambda. What does not compile (files
    for another Python, templates) is passed over, as Python itself would on an import that never comes."""
    names = sorted(
        FilePath(where, name).relative_to(folder).as_posix()
        for where, _, files in os.walk(folder)
        for name in files
        if name.endswith(".py")
    )
    pieces = [names[start::_PIECES] for start in range(_PIECES)]
    with ThreadPoolExecutor(min(_PIECES, os.cpu_count() or 1)) as pool:
        list(pool.map(lambda piece: _compile(folder, python, prefix, piece), pieces))


def _compile(folder: FilePath, python: str, prefix: str, names: Sequence[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONHASHSEED"] = "0"
    subprocess.run(
        [python, "-S", "-s", "-W", "ignore", "-c", _COMPILE, str(folder), prefix],
        input="\n".join(names),
        text=True,
        check=False,
        capture_output=True,
        env=environment,
    )
