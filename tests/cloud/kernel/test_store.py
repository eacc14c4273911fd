"""The store: all or nothing, caches told, misuse said, one process a folder, a write-ahead log that stays bounded."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pileus.cloud.kernel.store import Blobs, StateInUse, StateTooNew, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "state")
    made.migrate("t", ("CREATE TABLE t (n INTEGER PRIMARY KEY);",))
    yield made
    made.close()


def numbers(store: Store) -> list[int]:
    return [row[0] for row in store.all("SELECT n FROM t ORDER BY n")]


def insert(store: Store, n: int) -> None:
    store.execute("INSERT INTO t VALUES (?)", (n,))


def test_an_exception_undoes_the_transaction_or_only_its_savepoint(store: Store) -> None:
    with store.transaction():
        insert(store, 1)
        with pytest.raises(KeyError), store.transaction():
            insert(store, 2)
            with store.transaction():
                insert(store, 3)
            raise KeyError
        insert(store, 4)
    assert numbers(store) == [1, 4]
    with pytest.raises(KeyError), store.transaction():
        insert(store, 5)
        with store.transaction():
            insert(store, 6)
        raise KeyError
    assert numbers(store) == [1, 4]
    assert not store.in_transaction


def test_actions_follow_the_outermost_end(store: Store) -> None:
    said: list[str] = []
    with store.transaction():
        store.after_commit(lambda: said.append("outer"))
        with store.transaction():
            store.after_commit(lambda: said.append("inner"))
            store.on_rollback(lambda: said.append("never: committed"))
        with pytest.raises(KeyError), store.transaction():
            store.after_commit(lambda: said.append("never: undone"))
            store.on_rollback(lambda: said.append("undo 1"))
            store.on_rollback(lambda: said.append("undo 2"))
            raise KeyError
        assert said == ["undo 2", "undo 1"]
    assert said == ["undo 2", "undo 1", "outer", "inner"]
    store.after_commit(lambda: said.append("at once"))
    assert said[-1] == "at once"


def test_a_bug_after_the_commit_fails_neither_the_call_nor_the_other_actions(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "pileus.store")
    said: list[str] = []
    with store.transaction():
        insert(store, 1)
        store.after_commit(_bug)
        store.after_commit(lambda: said.append("after"))
    assert said == ["after"]
    assert numbers(store) == [1]
    with pytest.raises(KeyError), store.transaction():
        store.on_rollback(lambda: said.append("undone"))
        store.on_rollback(_bug)
        raise KeyError
    assert said == ["after", "undone"]
    assert [record.message for record in caplog.records] == ["an action after a transaction failed"] * 2


def _bug() -> None:
    raise ZeroDivisionError


def test_an_action_may_open_a_transaction(store: Store) -> None:
    def write() -> None:
        with store.transaction():
            insert(store, 2)

    with store.transaction():
        insert(store, 1)
        store.after_commit(write)
    assert numbers(store) == [1, 2]


def test_a_commit_that_fails_leaves_no_transaction_open(store: Store) -> None:
    store.execute("PRAGMA foreign_keys=ON")
    store.execute("CREATE TABLE child (n INTEGER REFERENCES t(n) DEFERRABLE INITIALLY DEFERRED)")
    undone: list[int] = []
    with pytest.raises(sqlite3.IntegrityError), store.transaction():
        store.on_rollback(lambda: undone.append(1))
        store.execute("INSERT INTO child VALUES (99)")  # only the COMMIT finds out
    assert undone == [1]
    with store.transaction():
        insert(store, 1)
    assert numbers(store) == [1]


def test_awaiting_inside_a_transaction_is_found_out(store: Store) -> None:
    async def culprit() -> None:
        with store.transaction():
            insert(store, 1)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def victim() -> None:
        with (
            pytest.raises(RuntimeError, match=r"culprit.* waits inside of its transaction"),
            store.transaction(),
        ):
            insert(store, 2)

    async def story() -> None:
        await asyncio.gather(asyncio.create_task(culprit(), name="culprit"), victim())
        with store.transaction():
            insert(store, 3)

    asyncio.run(story())
    assert numbers(store) == [1, 3]


def test_migrations_run_once_in_order_all_or_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.migrate("x", ("CREATE TABLE x (a); INSERT INTO x VALUES (1);",))
    with pytest.raises(sqlite3.OperationalError):
        store.migrate("x", ("", "INSERT INTO x VALUES (2); INSERT INTO nowhere VALUES (3);"))
    store.close()
    store = Store(tmp_path)
    store.migrate("x", ("", "INSERT INTO x VALUES (4);"))
    store.migrate("x", ("", "INSERT INTO x VALUES (4);"))
    assert [row[0] for row in store.all("SELECT a FROM x")] == [1, 4]
    with pytest.raises(StateTooNew, match="newer Pileus"):
        store.migrate("x", ("",))
    store.close()


def test_tables_of_a_service_first_used_in_an_undone_transaction_stay(store: Store) -> None:
    with pytest.raises(KeyError), store.transaction():
        store.migrate("late", ("CREATE TABLE late (a);",))
        raise KeyError
    assert store.all("SELECT * FROM late") == []


def test_one_process_holds_the_folder_and_its_death_frees_it(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from pileus.cloud.kernel.store import Store;"
        "store = Store(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StateInUse, match=f"{tmp_path} is in use by process {holder.pid}"):
            Store(tmp_path)
        holder.kill()
        holder.wait()
    Store(tmp_path).close()


def test_the_write_ahead_log_stays_bounded_under_a_load_without_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pileus.cloud.kernel.store._CHECKPOINT_BYTES", 256 * 1024)
    monkeypatch.setattr("pileus.cloud.kernel.store._LONGEST_WAL", 1024 * 1024)
    threads = threading.active_count()
    store = Store(tmp_path)
    store.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, v BLOB)")
    content, largest = os.urandom(4000), 0
    for n in range(6000):  # about 50 MB of log where nobody begins it anew
        with store.transaction():
            store.execute("INSERT OR REPLACE INTO t VALUES (?,?)", (n % 50, content))
        if n % 100 == 0:
            largest = max(largest, (tmp_path / "state.db-wal").stat().st_size)
    store.close()
    assert largest < 30 * 1024 * 1024
    assert threading.active_count() == threads


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "..", "a\0b", "é", "incoming/x", "a b"])
def test_a_blob_has_only_names_that_we_make(tmp_path: Path, name: str) -> None:
    blobs = Blobs(tmp_path)
    for action in (blobs.path, blobs.incoming, blobs.keep, blobs.read, blobs.delete):
        with pytest.raises(ValueError, match="not a blob id"):
            action(name)


def test_blobs_are_there_or_not(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blobs.put("ab-1", b"content")
    blobs.incoming("cd-2").write_bytes(b"half")  # the process is killed here
    again = Blobs(tmp_path)
    assert list(again.ids()) == ["ab-1"]
    assert again.read("ab-1") == b"content"
    assert not again.incoming("cd-2").exists()
    again.delete("ab-1")
    again.delete("ab-1")
    assert list(again.ids()) == []
