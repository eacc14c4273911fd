"""One pattern of `package.patterns` as a regular expression on paths, with what Serverless Framework v3 means by it.

v3 asks two matchers, which read a pattern almost alike; `Dialect` says where they part. A path has `/` between its
parts and begins with a name, or with `..` when it leads out of the service. Dot files are files like any other.

    *  ?        within a part               [a-c] [^a] [[:digit:]]   one character, never `/`
    **          a whole part: any parts     {a,b} {1..3}             either; braces around one thing are literal
    (a|b)       either, as @(a|b)           ?(a) *(a) +(a) !(a)      none or one, any, some, anything but
    \\x         x itself
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from pileus.package.braces import closing, expanded


class Dialect(Enum):
    LISTING = "which files are looked at: {8..10} counts, [!a] is not a"
    CHOICE = "which of those are taken: {8..10} is a class of characters, [!a] is ! or a"


class Reach(Enum):
    """What a pattern says about all that lies under a folder."""

    NONE = 0
    SOME = 1
    ALL = 2


_NO_DOTS = r"(?!\.{1,2}(?:/|$))"
_PART = rf"{_NO_DOTS}[^/]+"
_PARTS = rf"(?:{_PART}(?:/{_PART})*)?"
_STAR = "[^/]*?"
_NEVER = "(?!)"
_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "ascii": r"\x00-\x7F",
    "blank": r" \t",
    "cntrl": r"\x00-\x1F\x7F",
    "digit": "0-9",
    "graph": r"\x21-\x7E",
    "lower": "a-z",
    "print": r"\x20-\x7E ",
    "punct": r"\-!\"#$%&'()\*+,./:;<=>?@\[\]^_`{|}~",
    "space": r" \t\r\n\v\f",
    "upper": "A-Z",
    "word": "A-Za-z0-9_",
    "xdigit": "A-Fa-f0-9",
}
_MAGIC = re.compile(r"[*?\[\]{}()!+@|\\]")


Test = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern without alternatives in braces, ready to match.

    `base` is the folder under which all that it matches lies ("" for the service). `parts` tests one name each, as
    far as each part of the pattern stands for one name; then, if it is `deep`, come any names, which it takes all
    when it is `whole`.
    """

    text: str
    base: str
    matches: Test
    parts: tuple[Test, ...]
    deep: bool
    whole: bool

    def reach(self, folder: str) -> Reach:
        """Whether it matches all, none or some of what lies under a folder (at any depth), "" being the service."""
        names = folder.split("/") if folder else []
        if names and names[0] == ".." and ".." not in self.text:
            return Reach.NONE
        for name, part in zip(names, self.parts, strict=False):
            if not part(name):
                return Reach.NONE
        if len(names) < len(self.parts):
            return Reach.SOME
        if not self.deep:
            return Reach.NONE
        return Reach.ALL if self.whole else Reach.SOME

    @property
    def ends_folders(self) -> bool:
        """Whether, as an exclusion, it shuts a folder that it matches: when its last part is a plain name or `**`."""
        last = self.text.rpartition("/")[2]
        return not _is_dynamic(last) or self.text.endswith("/**")


def matching(pattern: str) -> Test:
    """Whether a path fits a pattern, for patterns that are not a service's: each by itself, in no order."""
    globs = compile_globs(pattern, Dialect.LISTING, takes=False)
    return lambda path: any(glob.matches(path) for glob in globs)


@lru_cache(4096)
def compile_globs(pattern: str, dialect: Dialect, *, takes: bool) -> tuple[Glob, ...]:
    """A pattern without its leading `!`, which matches where one of the globs does. `takes` is whether it stood without
    `!`. Never raises: what makes no sense matches nothing."""
    if not takes and pattern.startswith("!"):
        pattern = "**"  # `!!a` leaves nothing out of account
    texts = (
        _normalised(text, dialect, takes=takes)
        for text in expanded(pattern, ranges=dialect is Dialect.LISTING)
    )
    return tuple(_compile(text, pattern, dialect, takes=takes) for text in dict.fromkeys(texts) if text)


def _compile(text: str, original: str, dialect: Dialect, *, takes: bool) -> Glob:
    listed = takes and dialect is Dialect.LISTING
    matches = _matcher(text, dialect, listed=listed)
    real = _real_folders(text) if listed else []
    if listed:
        matches = _under(real, text, matches)
    elif dialect is Dialect.CHOICE and _MAGIC.search(original):
        matches = _or_literally(original, matches)
    pieces = _split(text)
    base: list[str] = []
    for piece in pieces[:-1]:
        if _MAGIC.search(piece):
            break
        base.append(piece)
    if _across.match(text):
        return Glob(text, "", matches, (), True, False)
    parts: list[Test] = []
    for index, piece in enumerate(pieces):
        if piece == "**" or "/" in piece:
            return Glob(text, "/".join(base), matches, tuple(parts), True, pieces[index:] == ["**"])
        parts.append(real[index].__eq__ if index < len(real) else _matcher(piece, dialect, listed=listed))
    return Glob(text, "/".join(base), matches, tuple(parts), False, False)


def _or_literally(text: str, matches: Test) -> Test:
    return lambda path: path == text or matches(path)


def _real_folders(text: str) -> list[str]:
    """The folders that what is listed is looked for in: the parts without wildcards; `?` and `(a)` alone are none."""
    real: list[str] = []
    for piece in text.split("/")[:-1]:
        if _IN_FOLDERS.search(piece):
            break
        real.append(_unescaped(piece))
    return real


def _under(real: list[str], text: str, matches: Test) -> Test:
    if not _is_dynamic(text):
        return lambda path: path == text and matches(path)
    if not real:
        return matches
    prefix = "/".join(real) + "/"
    return lambda path: path.startswith(prefix) and matches(path)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


_IN_FOLDERS = re.compile(r"\*|\[.+\]|[@?!+*]\(|\([^)]*\||[\]).+]\?")
_DYNAMIC = re.compile(r"(?:[*?]|\[[^\[]*\]|\([^(]*\|[^|]*\)|[!*+?@]\([^(]*\)|\{[^{]*(?:,|\.\.)[^}]*\})")


def _is_dynamic(text: str) -> bool:
    return "\\" in text or _DYNAMIC.search(text) is not None


def _normalised(pattern: str, dialect: Dialect, *, takes: bool) -> str:
    """Without a leading `./`. An inclusion also without any `./` and `name/../`, a listed one without `//`. Parts that
    stay empty match nothing."""
    if dialect is Dialect.LISTING:
        pattern = pattern[:1] + re.sub("/{2,}", "/", pattern[1:])
    if not takes:
        while pattern.startswith("./"):
            pattern = pattern[2:]
        return pattern
    parts: list[str] = []
    for part in pattern.split("/"):
        if part == ".":
            continue
        if part == ".." and parts and parts[-1] != ".." and not _MAGIC.search(parts[-1]):
            parts.pop()
            continue
        parts.append(part)
    return "/".join(parts)


def _split(text: str) -> list[str]:
    """The pattern at each `/` outside brackets of any kind."""
    pieces, depth, start, index = [], 0, 0, 0
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 1
        elif char in "{([":
            depth += 1
        elif char in "})]":
            depth = max(0, depth - 1)
        elif char == "/" and not depth:
            pieces.append(text[start:index])
            start = index + 1
        index += 1
    return [*pieces, text[start:]]


#: `**.js`, and it alone, crosses folders although `**` is not a whole part.
_across = re.compile(r"\*\*((?:\.\w+)+)$")


def _matcher(text: str, dialect: Dialect, *, listed: bool) -> Test:
    if not _MAGIC.search(text):
        return text.__eq__
    if (simple := _without_regex(text)) is not None:
        return simple
    try:
        return re.compile(regex(text, dialect, listed=listed), re.DOTALL).fullmatch
    except (re.error, OverflowError, RecursionError):
        return re.compile(_NEVER).fullmatch


_SIMPLE = re.compile(r"(?P<any>\*\*/)?(?P<suffix>\*)?(?P<name>[^*?\[\]{}()!+@|\\]+?)(?P<under>/\*\*)?")


def _without_regex(text: str) -> Test | None:
    """`**/*.js`, `**/name`, `**/name/**` and `name/**`, of which most patterns are, in a tenth of the time."""
    shape = _SIMPLE.fullmatch(text)
    if shape is None:
        return None
    name, start, end = shape["name"], f"{shape['name']}/", f"/{shape['name']}"
    # `**` goes through no `..`, which can only stand at the beginning.
    match (bool(shape["any"]), bool(shape["suffix"]), bool(shape["under"])):
        case (True, True, False) if "/" not in name:
            return lambda path: path.endswith(name) and not path.startswith("../")
        case (True, False, False) if name.isidentifier():
            return lambda path: path == name or (path.endswith(end) and not path.startswith("../"))
        case (True, False, True) if name.isidentifier():
            between = f"/{name}/"
            return lambda path: between in f"/{path}/" and not path.startswith("../")
        case (False, False, True) if ".." not in name and not name.startswith("/"):
            return lambda path: path == name or path.startswith(start)
    return None


def regex(text: str, dialect: Dialect, *, listed: bool = False) -> str:
    """The pattern as a regular expression for `fullmatch`; where it is `listed`, nothing in parentheses spans folders."""
    if match := _across.match(text):
        return _PARTS + re.escape(match[1])
    return _Translation(text, dialect, listed=listed).until("", nested=False)


class _Translation:
    """One pass over a pattern."""

    def __init__(self, text: str, dialect: Dialect, *, listed: bool) -> None:
        self.text = text
        self.dialect = dialect
        self.listed = listed
        self.at = 0

    def until(self, stops: str, *, nested: bool) -> str:
        """Translate up to one of the characters `stops`, which is left to be read."""
        out: list[str] = []
        first = self.at
        kind = ""  # of what was translated last: what `?`, `+` and `/**` mean depends on it
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in stops:
                break
            before, kind = kind, ""
            start = self.at in (0, first) or self.text[self.at - 1] == "/"
            if char == "\\" and self.at + 1 < len(self.text):
                out.append(re.escape(self.text[self.at + 1]))
                self.at += 2
            elif (
                char in "?*+@!" and self.text.startswith("(", self.at + 1) and closing(self.text, self.at + 1)
            ):
                out.append(self.extended(char))
                kind = "group"
            elif char == "*":
                out.append(self.stars(start=start))
                kind = "star"
            elif char == "?":
                out.append("?" if before == "group" else "[^/]")
                self.at += 1
            elif char == "+" and (before in ("group", "class", "braces") or (nested and not start)):
                out.append("+")
                self.at += 1
            elif char == "[" and (one := self.character_class()):
                out.append(one)
                kind = "class"
            elif char == "(" and closing(self.text, self.at):
                self.at += 1
                out.append(f"(?:{self.alternatives('|', ')')})")
                kind = "group"
            elif char == "{" and (either := self.braces()):
                out.append(either)
                kind = "braces"
            elif char == "/" and self.text[self.at :] == "/**" and before != "star" and out:
                out.append(f"(?:/{_PARTS})?")  # `a/**` is `a` too
                self.at += 3
            else:
                out.append(re.escape(char))
                self.at += 1
        return "".join(out)

    def stars(self, *, start: bool) -> str:
        run = self.at
        while self.text.startswith("*", self.at):
            self.at += 1
        if self.at - run == 2 and start:
            if self.at == len(self.text):
                return _PARTS
            if self.text[self.at] == "/":
                self.at += 1
                return f"(?:{_PART}/)*"
        return f"{_NO_DOTS}{_STAR}" if start else _STAR

    def alternatives(self, between: str, end: str) -> str:
        """What stands up to `end`, which is read; the way in is read already."""
        options: list[str] = []
        while True:
            start = self.at
            option = self.until(between + end, nested=True)
            options.append(_NEVER if self.listed and "/" in self.text[start : self.at] else option)
            self.at += 1
            if self.text[self.at - 1 : self.at] != between:
                return "|".join(options)

    def extended(self, kind: str) -> str:
        """`?(…)` and its kin."""
        inner_text = self.text[self.at + 2 : closing(self.text, self.at + 1)]
        self.at += 2
        inner = self.alternatives("|", ")")
        if kind != "!":
            return f"(?:{inner}){'' if kind == '@' else kind}"
        anything = f"(?:{_PARTS})" if "/" in inner_text and len(inner_text) > 1 else _STAR
        rest = self.text[self.at :]
        if anything != _STAR or not rest.strip(")"):
            return f"(?!(?:{inner})$){anything}"
        if "*" in inner_text and re.fullmatch(r"\.[^\\/.]+", rest):
            return f"(?!(?:{inner}){regex(rest, self.dialect)}){anything}"
        return f"(?!(?:{inner})){anything}"

    def braces(self) -> str:
        """`{1..3}` where it was not expanded: a class of the characters; "" when the braces are literal."""
        end = closing(self.text, self.at)
        ends = self.text[self.at + 1 : end].split("..")
        if not end or len(ends) not in (2, 3) or not all(ends):
            return ""
        self.at = end + 1
        return f"[{'-'.join(re.escape(end) for end in sorted(ends))}]"

    def character_class(self) -> str:
        """`[…]`; "" when the bracket is literal."""
        text, index = self.text, self.at + 1
        negated = text.startswith("^", index) or (
            self.dialect is Dialect.LISTING and text.startswith("!", index)
        )
        index += negated
        out, first, ranges = "", True, False  # `ranges`: a `-` here would stand between two ends
        while index < len(text) and (text[index] != "]" or first):
            first = False
            named = re.compile(r"\[:(\w+):\]").match(text, index)
            if named and named[1] in _CLASSES:
                out += _CLASSES[named[1]]
                index, ranges = named.end(), False
            elif text[index] == "-" and ranges and text[index + 1 : index + 2] not in ("", "]"):
                out += "-"
                index, ranges = index + 1, False
                at = index + (text[index] == "\\" and index + 1 < len(text))
                out += re.escape(text[at])
                index = at + 1
            else:
                at = index + (text[index] == "\\" and index + 1 < len(text))
                out += re.escape(text[at])
                index, ranges = at + 1, True
        if index >= len(text):
            return ""
        raw = text[self.at : index + 1]
        self.at = index + 1
        one = f"[^/{out}]" if negated else f"{'(?!/)' if self.listed else ''}[{out}]"
        # Brackets around plain letters may be meant literally: both are matched.
        plain = not negated and not re.search(r"[-*+?.^${}(|)[\]]", raw[1:-1])
        return f"(?:{re.escape(raw)}|{one})" if plain else one
