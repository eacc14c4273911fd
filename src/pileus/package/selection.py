"""Which files of a folder belong into an archive: `patterns`, as Serverless Framework v3 takes them.

v3 goes two ways over the same patterns, and a file must pass both:

- The *listing* takes `**` and then the user's patterns, each text once, where it stands first. A file is listed
  when a pattern matches it and no later `!` pattern does, neither the file nor a folder on the way to it.
- The *choice* begins with every listed file, then goes through the exclusions (the defaults, `exclude`) and the
  user's patterns; the last one that matches decides.

So `['!**', 'src/**', '!src/a', 'src/**']` is without `src/a`. Links are followed. A folder of which nothing can be
taken is never read; of one that is taken whole no name is compared.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath

from pileus.package.development import development_only
from pileus.package.globs import Dialect, Glob, Reach, compile_globs


@dataclass(frozen=True, slots=True)
class Rules:
    """What to take: `exclude` without leading `!` (one makes it an inclusion), `patterns` in their order. `never` holds
    folders and files that no pattern brings back, as paths from the folder."""

    exclude: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    never: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """A file: its path from the folder, and its state."""

    path: str
    stat: os.stat_result


@dataclass(frozen=True, slots=True)
class _Rule:
    order: int
    takes: bool
    glob: Glob


@dataclass(slots=True)
class _Folder:
    files: list[tuple[str, os.stat_result]]
    folders: list[str]


class Tree:
    """A folder on the disk, each of its folders read once however many archives are made of it.

    `without_development` leaves out what only devDependencies bring into node_modules; no pattern brings it back.
    """

    def __init__(self, root: FilePath, *, without_development: bool = False) -> None:
        self.root = root
        self._without_development = without_development
        self._development: dict[str, frozenset[str]] = {}
        self._folders: dict[str, _Folder] = {}
        self._real: dict[str, tuple[int, int]] = {}

    def select(self, rules: Rules) -> list[Found]:
        """The files that the rules take, sorted by path."""
        listing = _listing(rules)
        choice = _choice(rules)
        found: dict[str, Found] = {}
        for base in _starts(listing):
            names = base.split("/")
            trail = (
                tuple(self._identity("/".join(names[:end])) for end in range(len(names) + 1)) if base else ()
            )
            self._walk(base, listing, choice, rules.never, trail, found)
        return [found[path] for path in sorted(found)]

    def _walk(
        self,
        folder: str,
        listing: list[_Rule],
        choice: list[_Rule],
        never: frozenset[str],
        trail: tuple[tuple[int, int] | None, ...],
        found: dict[str, Found],
    ) -> None:
        listing, choice = _relevant(listing, folder), _relevant(choice, folder)
        listed, may_list = _uniform(listing, folder, default=False)
        chosen, may_choose = _uniform(choice, folder, default=True)
        if not may_list or not may_choose:
            return
        content = self._read(folder)
        if "node_modules" in content.folders and "node_modules" not in folder:
            never |= self._of_development(folder)
        whole = listed and chosen
        prefix = f"{folder}/" if folder else ""
        for name, state in content.files:
            path = prefix + name
            if path not in never and (
                whole or (_decide(listing, path, default=False) and _decide(choice, path, default=True))
            ):
                found[path] = Found(path, state)
        for name in content.folders:
            path = prefix + name
            identity = self._identity(path)
            if path in never or identity is None or identity in trail:  # a link that leads back up
                continue
            self._walk(path, _surviving(listing, path), choice, never, (*trail, identity), found)

    def _of_development(self, folder: str) -> frozenset[str]:
        if not self._without_development:
            return frozenset()
        known = self._development.get(folder)
        if known is None:
            prefix = f"{folder}/" if folder else ""
            known = frozenset(prefix + path for path in development_only(os.fspath(self.root / folder)))
            self._development[folder] = known
        return known

    def _read(self, folder: str) -> _Folder:
        """The content of a folder. What cannot be read counts as not there, as for v3; so do sockets and devices."""
        known = self._folders.get(folder)
        if known is not None:
            return known
        files: list[tuple[str, os.stat_result]] = []
        folders: list[str] = []
        try:
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    try:
                        if entry.is_dir():
                            folders.append(entry.name)
                            continue
                        state = entry.stat()
                    except OSError:
                        continue  # a link to nothing
                    if stat.S_ISREG(state.st_mode):
                        files.append((entry.name, state))
        except (FileNotFoundError, NotADirectoryError):
            pass
        files.sort()
        folders.sort()
        self._folders[folder] = known = _Folder(files, folders)
        return known

    def _identity(self, folder: str) -> tuple[int, int] | None:
        known = self._real.get(folder)
        if known is None:
            try:
                state = os.stat(self.root / folder)  # noqa: PTH116 (half the cost)
            except OSError:
                return None
            self._real[folder] = known = (state.st_dev, state.st_ino)
        return known


def _rules(patterns: Iterable[str], dialect: Dialect) -> list[_Rule]:
    return [
        _Rule(order, takes, glob)
        for order, pattern in enumerate(patterns)
        for takes in (not pattern.startswith("!"),)
        for glob in compile_globs(pattern if takes else pattern[1:], dialect, takes=takes)
    ]


def _listing(rules: Rules) -> list[_Rule]:
    return _rules(dict.fromkeys(["**", *rules.patterns]), Dialect.LISTING)


def _choice(rules: Rules) -> list[_Rule]:
    excluded = [pattern[1:] if pattern.startswith("!") else f"!{pattern}" for pattern in rules.exclude]
    return _rules([*excluded, *dict.fromkeys(rules.patterns)], Dialect.CHOICE)


def _starts(listing: list[_Rule]) -> list[str]:
    """The service itself, and the folders outside of it that patterns lead to."""
    outside = {rule.glob.base for rule in listing if rule.takes and rule.glob.text.startswith("..")}
    return ["", *sorted(outside)]


def _relevant(rules: list[_Rule], folder: str) -> list[_Rule]:
    """The rules that can say something about what lies under a folder, from the last one that settles all of it."""
    kept: list[_Rule] = []
    for rule in reversed(rules):
        reach = rule.glob.reach(folder)
        if reach is not Reach.NONE:
            kept.append(rule)
        if reach is Reach.ALL:
            break
    kept.reverse()
    return kept


def _uniform(rules: list[_Rule], folder: str, *, default: bool) -> tuple[bool, bool]:
    """Of relevant rules: whether they surely take everything under a folder, and whether they may take anything."""
    if rules and rules[0].glob.reach(folder) is Reach.ALL:
        default = rules[0].takes
    return default and all(rule.takes for rule in rules), default or any(rule.takes for rule in rules)


def _surviving(listing: list[_Rule], folder: str) -> list[_Rule]:
    """The rules without the inclusions that a later exclusion of this very folder has ended."""
    ended = max(
        (
            rule.order
            for rule in listing
            if not rule.takes and rule.glob.ends_folders and rule.glob.matches(folder)
        ),
        default=-1,
    )
    if ended < 0:
        return listing
    return [
        rule
        for rule in listing
        if not rule.takes or rule.order > ended or f"{rule.glob.base}/".startswith(f"{folder}/")
    ]


def _decide(rules: list[_Rule], path: str, *, default: bool) -> bool:
    for rule in reversed(rules):
        if rule.glob.matches(path):
            return rule.takes
    return default
