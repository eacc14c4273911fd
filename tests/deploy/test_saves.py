"""Noticing saved files, also those that come and go while nobody looks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pileus.deploy.saves import Saves


async def noticed(saves: Saves) -> None:
    async with asyncio.timeout(20):
        await saves.next()


async def not_noticed(saves: Saves) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await saves.next()


def test_what_is_saved_before_anyone_waits_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "serverless.yml"
    file.write_text("a")
    saves = Saves([file])
    file.write_text("ab")
    asyncio.run(noticed(saves))


def test_a_save_by_renaming_and_a_file_that_appears_and_goes(tmp_path: Path) -> None:
    file, new = tmp_path / "serverless.yml", tmp_path / "new"
    saves = Saves([file])

    async def story() -> None:
        await not_noticed(saves)
        file.write_text("a")
        await noticed(saves)
        await not_noticed(saves)
        new.write_text("a")
        new.rename(file)
        await noticed(saves)
        file.unlink()
        await noticed(saves)

    asyncio.run(story())


def test_following_other_files_forgets_no_save(tmp_path: Path) -> None:
    kept, dropped, added = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    saves = Saves([kept, dropped])
    kept.write_text("saved during a deployment")
    saves.follow([kept, added])
    asyncio.run(noticed(saves))
    dropped.write_text("of no interest any more")
    asyncio.run(not_noticed(saves))
    added.write_text("new")
    asyncio.run(noticed(saves))
