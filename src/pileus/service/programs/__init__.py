"""Configuration written as a program (JavaScript, TypeScript, Python), evaluated in a child process, never in ours.

    __init__        the processes of one load, and what they gave
    languages       which command runs which file: node, or the project's own interpreter
    conversation    with one child: jobs go in, values come out, and it may ask for variables in between
    node.cjs, child.py    the other ends, which run in the user's interpreters and import nothing of Pileus

One process a language and load: the second value of `settings.js` costs a line, not a start of node.
"""

from collections.abc import Callable, Mapping
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from pileus.service.programs.languages import command
from pileus.service.tree import Json

if TYPE_CHECKING:
    from pileus.service.programs.conversation import Child

#: A configuration file that takes longer has hung.
SECONDS = 30.0

#: Resolves a variable, given as `type(params):address`; raises an Exception that says why it can't.
Ask = Callable[[str], Json]


class Programs:
    """The processes of one load, started when a file first needs one; `close` ends them."""

    def __init__(
        self,
        folder: FilePath,
        environ: Mapping[str, str],
        options: Mapping[str, str],
        seconds: float = SECONDS,
    ) -> None:
        self._folder = folder
        self._environ = environ
        self._options = options
        self._seconds = seconds
        self._children: dict[tuple[str, ...], Child] = {}
        self._known: dict[tuple[FilePath, tuple[str, ...]], Json] = {}

    def value(self, file: FilePath, address: tuple[str, ...], ask: Ask) -> Json:
        """What `file` exports at `address`, functions called on the way. None where there is nothing.

        Raises ConfigError, in the file where that is known, when it throws, hangs or can't be run.
        """
        if (file, address) not in self._known:
            self._known[file, address] = self._child(file).value(file, address, ask, self._seconds)
        return self._known[file, address]

    def _child(self, file: FilePath) -> "Child":
        from pileus.service.programs.conversation import Child  # most configurations need none

        argv = command(file, self._folder, self._environ)
        if argv not in self._children:
            self._children[argv] = Child(argv, self._folder, self._environ, dict(self._options))
        return self._children[argv]

    def use(self, environ: Mapping[str, str]) -> None:
        """The environment of the processes from now on; those with another one end."""
        if dict(environ) != dict(self._environ):
            self.close()
            self._environ = dict(environ)

    def close(self) -> None:
        """Ends the processes, however they do."""
        for child in self._children.values():
            child.close()
        self._children.clear()
