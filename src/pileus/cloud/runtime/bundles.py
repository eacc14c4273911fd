"""Functions whose source Node can't run as it lies there (TypeScript, or what a plugin bundles): built with the project's
own esbuild when an environment starts, kept until one of the sources changes.

Without a recipe of a plugin, dependencies stay in node_modules, and the module's kind is that of its package.json.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..interpreters import find_esbuild
from .errors import EnvironmentFailed
from .execution import FunctionSpec, error_document
from .reload import Changes, ReadFiles

#: Below the folder of the code, so that what stays outside of a bundle is found in its node_modules.
FOLDER = Path(".pileus") / "build"
_RUNS = ("", ".js", ".mjs", ".cjs")
_BUILT = (".ts", ".mts", ".cts", ".tsx", ".jsx")
_SECONDS = 60
_LINES = 40
#: A bundle in the form of a module has no `require`, which packages of the other form call.
_REQUIRE = (
    "--banner:js=import { createRequire as __pileusRequire } from 'node:module'; "
    "const require = __pileusRequire(import.meta.url);"
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one handler is built. source: the file, from the folder of the code. arguments: of esbuild, beside entry point
    and output. place: of the result, from the folder of the code, without a suffix."""

    source: str
    arguments: tuple[str, ...]
    place: str


class BuildFailed(Exception):
    """esbuild refused the source. document: the error as an invocation answers it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.document = error_document("Runtime.UserCodeSyntaxError", text)


@dataclass(frozen=True, slots=True)
class Built:
    """module: the path of the result without its suffix. inputs: the project's files that it was made of. since: when
    they were read (ns)."""

    module: str
    inputs: tuple[str, ...]
    since: int


class Bundles:
    """recipes: of plugins, by (folder of the code, handler)."""

    def __init__(self, changes: Changes) -> None:
        self.recipes: dict[tuple[str, str], Recipe] = {}
        self._changes = changes
        self._built: dict[tuple[str, Recipe], tuple[Built, ReadFiles]] = {}
        self._locks: dict[tuple[str, Recipe], asyncio.Lock] = {}
        self._folders: set[Path] = set()

    async def built(self, spec: FunctionSpec) -> Built | None:
        """None where Node runs the handler's own file. Raises BuildFailed, EnvironmentFailed where there is no esbuild."""
        root = str(spec.code)
        recipe = self.recipes.get((root, spec.handler)) or self._own_recipe(spec)
        if recipe is None:
            return None
        key = (root, recipe)
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._built.get(key)
            if known is not None and not known[1].changed():
                return known[0]
            built = await self._build(spec.code, recipe)
            files = ReadFiles(self._changes, built.since)
            files.add(list(built.inputs))
            self._built[key] = (built, files)
            return built

    def _own_recipe(self, spec: FunctionSpec) -> Recipe | None:
        folder, slash, base = spec.handler.rpartition("/")
        stem = folder + slash + base.partition(".")[0]
        if ".." in stem or any((spec.code / f"{stem}{suffix}").is_file() for suffix in _RUNS):
            return None
        for suffix in _BUILT:
            source = spec.code / f"{stem}{suffix}"
            if source.is_file():
                module = suffix == ".mts" or (suffix != ".cts" and _is_module(source.parent, spec.code))
                form = ("--format=esm", "--out-extension:.js=.mjs", _REQUIRE) if module else ("--format=cjs",)
                shared = ("--bundle", "--platform=node", "--packages=external", "--sourcemap")
                return Recipe(f"{stem}{suffix}", (*shared, *form), stem)
        return None

    async def _build(self, root: Path, recipe: Recipe) -> Built:
        program = find_esbuild(root)
        if program is None:
            raise EnvironmentFailed(
                f"{recipe.source} must be built with esbuild, which is not in the project's node_modules: "
                "npm install --save-dev esbuild"
            )
        digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:16]
        out = root / FOLDER / digest
        out.mkdir(parents=True, exist_ok=True)
        self._folders.add(out)
        kind = "module" if "--format=esm" in recipe.arguments else "commonjs"
        (out / "package.json").write_text(json.dumps({"type": kind}))
        meta = out / "meta.json"
        maps = () if any(each.startswith("--sourcemap") for each in recipe.arguments) else ("--sourcemap",)
        since = time.time_ns()
        process = await asyncio.create_subprocess_exec(
            str(program),
            f"{recipe.place}=./{recipe.source}",
            *recipe.arguments,
            *maps,
            f"--outdir={out}",
            f"--metafile={meta}",
            "--allow-overwrite",
            "--log-level=warning",
            "--color=false",
            cwd=root,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_SECONDS):
                _, said = await process.communicate()
        except BaseException as error:
            process.kill()
            await process.wait()
            if isinstance(error, TimeoutError):
                raise BuildFailed(f"esbuild did not end within {_SECONDS} seconds") from None
            raise
        if process.returncode:
            raise BuildFailed(_told(said))
        inputs = json.loads(meta.read_bytes())["inputs"]
        return Built(str(out / recipe.place), tuple(_own_files(inputs, root)), since)

    def close(self) -> None:
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)
            for parent in (folder.parent, folder.parent.parent):
                try:
                    parent.rmdir()
                except OSError:  # not ours alone
                    break


def _is_module(folder: Path, root: Path) -> bool:
    for each in (folder, *folder.parents):
        try:
            described = json.loads((each / "package.json").read_bytes())
        except (OSError, ValueError):
            if each == root:
                return False
            continue
        return isinstance(described, dict) and described.get("type") == "module"
    return False


def _own_files(inputs: Iterable[str], root: Path) -> list[str]:
    """esbuild names them from the folder that it ran in."""
    files = [str(root / each) for each in inputs if "node_modules/" not in each and ":" not in each]
    return sorted(files)


def _told(said: bytes) -> str:
    text = said.decode("utf-8", "replace").strip().partition("\nnode:")[0].rstrip()
    return "\n".join(text.splitlines()[:_LINES])
