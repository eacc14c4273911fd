"""Which files patterns choose: as observed of Serverless Framework 3.40.0, and by what was seen of how it chooses."""

import json
import os
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pileus.package.archive_paths import archive_path, is_safe
from pileus.package.globs import Dialect, Reach, compile_globs, matching
from pileus.package.selection import Rules, Tree

OBSERVED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "observed" / "patterns.json").read_text("utf-8")
)
DEFAULTS = (
    ".git/**",
    ".gitignore",
    ".DS_Store",
    "npm-debug.log",
    "yarn-*.log",
    ".serverless/**",
    ".serverless_plugins/**",
    "serverless.yml",
)


def write(folder: Path, files: list[str], links: dict[str, str] | None = None) -> None:
    for name in files:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    for name, target in (links or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)


@pytest.fixture(scope="module")
def observed_tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    parent = tmp_path_factory.mktemp("observed") / "parent"
    write(parent, ["up.txt", "upd/x.txt"])
    write(parent / "svc", [*OBSERVED["files"], "serverless.yml"], OBSERVED["links"])
    return Tree(parent / "svc")


def packed(tree: Tree, patterns: list[str]) -> set[str]:
    return {archive_path(file.path) for file in tree.select(Rules(DEFAULTS, tuple(patterns)))}


def test_observed_choices(observed_tree: Tree) -> None:
    """One test for the whole table: 800 cases in a tenth of a second."""
    names = OBSERVED["names"]
    wrong = []
    for patterns, bits in OBSERVED["cases"]:
        mask = int(bits, 16)
        wanted = {name for index, name in enumerate(names) if mask >> index & 1}
        got = packed(observed_tree, patterns)
        if got != wanted:
            wrong.append(
                (patterns, "missing", sorted(wanted - got)[:5], "too many", sorted(got - wanted)[:5])
            )
    assert len(OBSERVED["cases"]) > 800
    assert not wrong


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        # (observed) `exclude` with `!` brings back; then come include and patterns
        (Rules(("**", "!b.txt"), ("a.txt", "!b.txt", "c.txt")), ["a.txt", "c.txt"]),
        (Rules(("**",), ("a.txt",)), ["a.txt"]),
        (Rules(("**", "a.txt"), ("a.txt", "b.txt")), ["a.txt", "b.txt"]),
        # (observed) a text counts once, where it stands first
        (Rules((), ("!**", "src/**", "!src/index.js", "src/**")), ["src/one.js"]),
        (Rules((), ("!**", "a.txt", "!a.txt", "a.txt", "b.txt")), ["b.txt"]),
        (Rules((), ("!**",)), []),
        (Rules((), (), frozenset({"src", "a.txt"})), ["b.txt", "c.txt"]),
        (Rules((), ("src/**",), frozenset({"src"})), ["a.txt", "b.txt", "c.txt"]),
    ],
)
def test_order(tmp_path: Path, rules: Rules, wanted: list[str]) -> None:
    write(tmp_path, ["a.txt", "b.txt", "c.txt", "src/index.js", "src/one.js"])
    assert [file.path for file in Tree(tmp_path).select(rules)] == wanted


def test_links_that_lead_back_are_followed_once(tmp_path: Path) -> None:
    write(tmp_path, ["a/b/file"], {"a/b/again": "../..", "a/self": "."})
    assert [file.path for file in Tree(tmp_path).select(Rules())] == ["a/b/file"]


def test_sockets_and_pipes_are_no_files(tmp_path: Path) -> None:
    write(tmp_path, ["file"])
    os.mkfifo(tmp_path / "pipe")
    assert [file.path for file in Tree(tmp_path).select(Rules())] == ["file"]


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [
        (("!node_modules/**",), ["", "src"]),
        (("!node_modules",), ["", "src"]),
        (("!**", "src/*.py"), ["", "src"]),
        (("!node_modules/**", "node_modules/y/**"), ["", "node_modules", "node_modules/y", "src"]),
    ],
)
def test_folders_without_a_chance_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patterns: tuple[str, ...], wanted: list[str]
) -> None:
    write(tmp_path, ["node_modules/x/index.js", "node_modules/y/index.js", "src/a.py"])
    read: list[str] = []
    scan = os.scandir

    def scandir(path: Path) -> object:
        read.append(path.relative_to(tmp_path).as_posix().removeprefix("."))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    Tree(tmp_path).select(Rules((), patterns))
    assert read == wanted


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("a.py", "a.py"),
        ("../a.py", "a.py"),
        ("../../x/a.py", "x/a.py"),
        ("a\\b.py", "a/b.py"),
        ("..\\..\\a.py", "a.py"),
    ],
)
def test_places_in_archives(path: str, inside: str) -> None:
    assert archive_path(path) == inside
    assert is_safe(inside)


@pytest.mark.parametrize(
    "path", ["/a", "a/../b", "a\\..\\..\\b", "..", "a//b", "", "./a", "a/", "\udcff.py", "a\0b", "\\a"]
)
def test_names_that_lead_elsewhere_are_refused(path: str) -> None:
    assert not is_safe(archive_path(path))


NAMES = st.sampled_from(["a", "b", "ab", ".a", "a.js", "b.py", "node_modules"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PIECES = st.sampled_from(["a", "b", "*", "?", "a*", "*.js", "**", ".a", "{a,b}", "[ab]", "node_modules"])
PATTERNS = st.builds(
    lambda sign, pieces: sign + "/".join(pieces),
    st.sampled_from(["", "!"]),
    st.lists(PIECES, min_size=1, max_size=4),
)


def literally(pattern: list[str], path: list[str]) -> bool:
    """The plain meaning of a pattern, part by part: slow, and with nothing in common with the one under test."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        # At the end it takes what lies under a folder and, unless a star stands before it, the folder's own name.
        return any(literally(pattern[1:], path[skip:]) for skip in range(len(path) + 1))
    if not path:
        return False
    options = pattern[0][1:-1].split(",") if pattern[0].startswith("{") else [pattern[0]]
    return any(fnmatchcase(path[0], option) for option in options) and literally(pattern[1:], path[1:])


def holds(pattern: str, path: str) -> bool:
    pieces = pattern.split("/")
    if pieces[-1] == "**" and len(pieces) > 1 and pieces[-2].endswith("*"):
        while pieces[-2:] == ["**", "**"]:
            pieces.pop()
        if pieces != ["**"]:
            pieces = [*pieces[:-1], "*", "**"]
    return literally(pieces, path.split("/"))


@given(PATTERNS, PATHS)
@settings(max_examples=400, deadline=None)
def test_matches_what_it_says(pattern: str, path: str) -> None:
    text = pattern.removeprefix("!")
    assert any(bool(glob.matches(path)) for glob in compile_globs(text, Dialect.CHOICE, takes=True)) == holds(
        text, path
    )


@given(PATTERNS, st.lists(NAMES, min_size=1, max_size=3), st.lists(NAMES, min_size=1, max_size=3))
@settings(max_examples=400, deadline=None)
def test_reach_never_promises_too_much(pattern: str, folder: list[str], rest: list[str]) -> None:
    inside = "/".join([*folder, *rest])
    for glob in compile_globs(pattern.removeprefix("!"), Dialect.CHOICE, takes=True):
        reach = glob.reach("/".join(folder))
        if reach is not Reach.SOME:
            assert bool(glob.matches(inside)) is (reach is Reach.ALL)


def slowly(paths: set[str], patterns: list[str]) -> set[str]:
    """The two ways over the patterns, file by file."""
    once = list(dict.fromkeys(patterns))
    listing = list(dict.fromkeys(["**", *once]))

    def ends(pattern: str) -> bool:
        last = pattern.rpartition("/")[2]
        return pattern.endswith("/**") or not re.search(r"[*?\[{]", last)

    def listed(path: str) -> bool:
        parts = path.split("/")
        above = ["/".join(parts[:end]) for end in range(1, len(parts))]
        for index, pattern in enumerate(listing):
            if pattern.startswith("!") or not holds(pattern, path):
                continue
            literal = []
            for piece in pattern.split("/")[:-1]:
                if re.search(r"[*\[{]", piece):
                    break
                literal.append(piece)
            if "?" in "".join(literal) and "/".join(literal) + "/" != "/".join(parts[: len(literal)]) + "/":
                continue
            base = "/".join(literal)
            later = [text[1:] for text in listing[index + 1 :] if text.startswith("!")]
            shut = any(
                holds(option, folder)
                for text in later
                for option in alternatives(text)
                if ends(option)
                for folder in above
                if not f"{base}/".startswith(f"{folder}/")
            )
            if not shut and not any(holds(text, path) for text in later):
                return True
        return False

    def chosen(path: str) -> bool:
        state = True
        for pattern in once:
            if holds(pattern.removeprefix("!"), path):
                state = not pattern.startswith("!")
        return state

    return {path for path in paths if listed(path) and chosen(path)}


def alternatives(pattern: str) -> list[str]:
    head, brace, rest = pattern.partition("{")
    if not brace:
        return [pattern]
    inner, _, tail = rest.partition("}")
    return [text for option in inner.split(",") for text in alternatives(head + option + tail)]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tree, set[str]]:
    """A folder with every name at three depths."""
    folder = tmp_path_factory.mktemp("grown")
    names = ["a", "b", ".a", "node_modules"]
    files = [f"{one}/{two}/{leaf}" for one in names for two in names for leaf in ("a.js", "b.py")]
    files += [f"{one}/{leaf}" for one in names for leaf in ("a.js", "ab", "b.py")] + ["a.js", "b.py", "ab"]
    write(folder, files)
    return Tree(folder), set(files)


@given(st.lists(PATTERNS, max_size=5))
@settings(max_examples=300, deadline=None)
def test_walk_agrees_with_going_file_by_file(grown: tuple[Tree, set[str]], patterns: list[str]) -> None:
    tree, files = grown
    assert {file.path for file in tree.select(Rules((), tuple(patterns)))} == slowly(files, patterns)


@given(st.text(alphabet="ab/*?{}[]()!+@|,.\\-^1", max_size=14))
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_pattern(text: str) -> None:
    for dialect in Dialect:
        for takes in (True, False):
            for glob in compile_globs(text, dialect, takes=takes):
                glob.matches("a/b.js")
                glob.reach("a")


def test_patterns_on_their_own() -> None:
    tests = matching("**/{tests,doc}/**")
    assert [bool(tests(path)) for path in ("a/tests/x.py", "doc/x", "a/b.py")] == [True, True, False]
