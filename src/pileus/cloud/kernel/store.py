"""The one store: SQLite in WAL mode, and blobs as files beside it.

One API call is one transaction. Everything runs on the event loop's thread through one connection, so there is one
writer and no lock to wait for. A commit is a write to the WAL, which the operating system keeps when the process is
killed; syncing to the disk itself (what a power cut asks for) is done by checkpoints in a background thread.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

log = logging.getLogger("pileus.store")

Row = sqlite3.Row
Value = str | int | float | bytes | None

_CHECKPOINT_BYTES = 16 * 1024 * 1024
_LONGEST_WAL = 256 * 1024 * 1024
_LOOK_EVERY = 32  # commits
_WAIT_FOR_LOCK = 60.0


class StateInUse(Exception):
    """Another process holds the state folder."""


class StateTooNew(Exception):
    """The state was written by a newer Pileus."""


class Store:
    """State of one cloud.

    root: the state folder, or None to keep everything in memory (blobs then live in a temporary folder that goes
    with the store).
    """

    def __init__(self, root: Path | None = None) -> None:
        self.ephemeral = root is None
        self._lock: IO[str] | None = None
        if root is None:
            self.root = Path(tempfile.mkdtemp(prefix="pileus-"))
            database = ":memory:"
        else:
            self.root = root
            root.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(root)
            database = str(root / "state.db")
        self.db = sqlite3.connect(
            database,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=1024,
            timeout=_WAIT_FOR_LOCK,
        )
        self.db.row_factory = sqlite3.Row
        self._closed = False
        self._depth = 0
        self._owner: asyncio.Task[Any] | None = None
        self._outermost = _Outermost(self)
        self._after: list[Callable[[], None]] = []
        self._undo: list[Callable[[], None]] = []
        self._checkpointer: _Checkpointer | None = None
        self._prepare(database)
        self.blobs = Blobs(self.root / "blobs")
        #: Bound once: the hot path of every operation.
        self.execute = self.db.execute
        self.executemany = self.db.executemany

    def _prepare(self, database: str) -> None:
        if not self.ephemeral:
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute("PRAGMA synchronous=NORMAL")
            self.db.execute("PRAGMA wal_autocheckpoint=0")
            self.db.execute("PRAGMA journal_size_limit=0")
            self._checkpointer = _Checkpointer(database)
        self.db.execute("PRAGMA cache_size=-65536")
        self.db.execute("PRAGMA temp_store=MEMORY")
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS schema_version (part TEXT PRIMARY KEY, version INTEGER NOT NULL)"
        )
        self.migrate("store", ("CREATE TABLE fact (name TEXT PRIMARY KEY, value REAL NOT NULL);",))

    def migrate(self, part: str, steps: Sequence[str]) -> None:
        """Brings the tables of `part` (a service's name) up to date.

        steps: SQL scripts, one a version, only ever appended to. Each runs once, in order, all or nothing.
        """
        row = self.db.execute("SELECT version FROM schema_version WHERE part=?", (part,)).fetchone()
        version = row[0] if row else 0
        if version > len(steps):
            raise StateTooNew(f"the state in {self.root} was written by a newer Pileus ({part} {version})")
        if version == len(steps):
            return
        with self.transaction():
            for step in steps[version:]:
                for statement in _statements(step):
                    self.db.execute(statement)
            self.db.execute("INSERT OR REPLACE INTO schema_version VALUES (?,?)", (part, len(steps)))
        # a service that was first used in a transaction that is undone stays loaded: its tables must stay, too
        self.on_rollback(lambda: self.migrate(part, steps))

    def transaction(self) -> AbstractContextManager[None]:
        """One transaction; inside another one, a savepoint of it. An exception undoes it and is raised on.

        The block must not await: between BEGIN and COMMIT nothing else may run. Another task that finds one open
        gets a RuntimeError instead of becoming a part of it.
        """
        return _Savepoint(self) if self._depth else self._outermost

    def _begin(self) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        self._depth = 1
        self._owner = _current_task()

    def _commit(self) -> None:
        self._depth = 0
        self._owner = None
        try:
            self.db.execute("COMMIT")
        except BaseException:
            self._undo_all()
            raise
        if self._undo:
            self._undo.clear()
        if self._checkpointer is not None:
            self._checkpointer.note()
        if self._after:
            after, self._after = self._after, []
            for action in after:
                _safely(action)

    def _undo_all(self) -> None:
        self._depth = 0
        self._owner = None
        if self.db.in_transaction:  # SQLite itself undoes where the disk is full
            self.db.execute("ROLLBACK")
        self._after.clear()
        undo, self._undo = self._undo, []
        for action in reversed(undo):
            _safely(action)

    @property
    def in_transaction(self) -> bool:
        return self._depth > 0

    def after_commit(self, action: Callable[[], None]) -> None:
        """Runs `action` once the outermost transaction is on disk (at once outside of one)."""
        if self._depth:
            self._after.append(action)
        else:
            action()

    def on_rollback(self, action: Callable[[], None]) -> None:
        """Runs `action` if the transaction is undone: how caches in memory stay true."""
        if self._depth:
            self._undo.append(action)

    def one(self, sql: str, parameters: Sequence[Value] = ()) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.execute(sql, parameters).fetchone()
        return row

    def all(self, sql: str, parameters: Sequence[Value] = ()) -> list[sqlite3.Row]:
        return self.execute(sql, parameters).fetchall()

    def fact(self, name: str, default: float = 0.0) -> float:
        """A number that the cloud as a whole remembers."""
        row = self.one("SELECT value FROM fact WHERE name=?", (name,))
        return default if row is None else float(row[0])

    def remember(self, name: str, value: float) -> None:
        self.execute("INSERT OR REPLACE INTO fact VALUES (?,?)", (name, value))

    def close(self) -> None:
        """Moves all into the database's file and lets the folder go. Closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._checkpointer is not None:
            self._checkpointer.stop()
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.db.close()
        if self._lock is not None:
            self._lock.close()
        if self.ephemeral:
            shutil.rmtree(self.root, ignore_errors=True)


class _Outermost:
    """What `transaction()` gives where none is open: made once, for it is on the way of every request."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> None:
        self._store._begin()

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None:
            self._store._commit()
        else:
            self._store._undo_all()


class _Savepoint:
    """A part of a transaction that can be undone alone."""

    __slots__ = ("_after", "_name", "_store", "_undo")

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> None:
        store = self._store
        if store._owner is not _current_task():
            raise RuntimeError(
                f"{store._owner} waits inside of its transaction: nothing else may run until it ends"
            )
        self._name = f"s{store._depth}"
        store.db.execute(f"SAVEPOINT {self._name}")
        store._depth += 1
        self._after, self._undo = len(store._after), len(store._undo)

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        store = self._store
        store._depth -= 1
        if kind is None:
            store.db.execute(f"RELEASE {self._name}")
            return
        if store.db.in_transaction:
            store.db.execute(f"ROLLBACK TO {self._name}")
            store.db.execute(f"RELEASE {self._name}")
        del store._after[self._after :]
        undone = store._undo[self._undo :]
        del store._undo[self._undo :]
        for action in reversed(undone):
            _safely(action)


def _current_task() -> asyncio.Task[Any] | None:
    return asyncio.current_task() if asyncio._get_running_loop() is not None else None


def _safely(action: Callable[[], None]) -> None:
    """What follows a transaction can't change its end any more: a bug there is told, and the rest goes on."""
    try:
        action()
    except Exception:
        log.exception("an action after a transaction failed")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: executescript() would commit the transaction around it."""
    statement = ""
    for part in script.split(";")[:-1]:
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    rest = statement + script.rpartition(";")[2]
    if rest.strip():
        yield rest


def _lock(root: Path) -> IO[str]:
    handle = (root / "lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        owner = handle.read().strip()
        handle.close()
        raise StateInUse(f"{root} is in use by process {owner or 'unknown'}") from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


class _Checkpointer:
    """Moves the WAL into the database from a thread of its own, so that no request waits for a disk's sync.

    That runs beside the writer, and where it has caught up the next commit begins the WAL anew. Under a load without
    a pause it never catches up: then, once in a long while, the writer waits for the last pages.
    """

    def __init__(self, database: str) -> None:
        self._database = database
        self._wal = f"{database}-wal"
        self._commits = 0
        self._size = 0  # of the WAL, at the last checkpoint
        self._due = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="pileus-checkpoint", daemon=True)
        self._thread.start()

    def note(self) -> None:
        self._commits += 1
        if self._commits % _LOOK_EVERY:
            return
        size = os.stat(self._wal).st_size  # noqa: PTH116 - on the way of every request
        if size < self._size:
            self._size = 0
        if size - self._size >= _CHECKPOINT_BYTES:
            self._size = size
            self._due.set()

    def stop(self) -> None:
        self._stopped = True
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        db = sqlite3.connect(self._database, isolation_level=None, timeout=_WAIT_FOR_LOCK)
        try:
            while True:
                self._due.wait()
                if self._stopped:
                    return
                self._due.clear()
                try:
                    db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                    if self._size > _LONGEST_WAL:
                        db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
                except sqlite3.Error:
                    log.exception("the write-ahead log could not be moved into the database")
        finally:
            db.close()


class Blobs:
    """Content too large for a row, one file each, under names that we make (never a user's key).

    A blob is written to a temporary file and renamed into place; its id goes into a row in the call's transaction.
    What a crash leaves behind is collected by `collect`, which each owner calls with the ids that it still knows.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        for leftover in self._incoming.iterdir():
            leftover.unlink(missing_ok=True)

    def path(self, blob_id: str) -> Path:
        """blob_id: letters, digits and `-`, as `Ids.hex` and `Ids.uuid` make them."""
        if not blob_id.replace("-", "").isalnum() or not blob_id.isascii():
            raise ValueError(f"not a blob id: {blob_id!r}")
        return self._root / blob_id[:2] / blob_id

    def incoming(self, blob_id: str) -> Path:
        """Where to write a blob before `keep` puts it in its place."""
        self.path(blob_id)
        return self._incoming / blob_id

    def keep(self, blob_id: str) -> None:
        target = self.path(blob_id)
        try:
            self.incoming(blob_id).rename(target)
        except FileNotFoundError:
            target.parent.mkdir(exist_ok=True)
            self.incoming(blob_id).rename(target)

    def put(self, blob_id: str, content: bytes) -> None:
        self.incoming(blob_id).write_bytes(content)
        self.keep(blob_id)

    def read(self, blob_id: str) -> bytes:
        return self.path(blob_id).read_bytes()

    def delete(self, blob_id: str) -> None:
        self.path(blob_id).unlink(missing_ok=True)

    def ids(self) -> Iterable[str]:
        for shard in self._root.iterdir():
            if shard != self._incoming and shard.is_dir():
                for entry in shard.iterdir():
                    yield entry.name
