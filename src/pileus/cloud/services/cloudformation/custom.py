"""Answers of custom resources: where a function that serves one says how it went.

A function gets a `ResponseURL` with a token of its own and PUTs its answer there, as it would to S3 with a presigned
URL. The answer is kept before anyone is woken, so that it is there after a kill too.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from .stack import Stacks

_STATUSES = frozenset({"SUCCESS", "FAILED"})


class CustomResources(Stacks):
    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}

    def open_request(self, stack_id: str, logical_id: str, request_type: str) -> tuple[str, str, bool]:
        """(token, request id, whether it is new): that of before a kill where there was one."""
        row = self.store.one(
            "SELECT token,request FROM cfn_custom WHERE stack=? AND logical_id=?", (stack_id, logical_id)
        )
        if row is not None and row["request"].endswith(request_type):
            return row["token"], row["request"].partition(" ")[0], False
        token, request_id = self.ids.lower(40), self.ids.uuid()
        with self.store.transaction():
            self.close_request(stack_id, logical_id)
            self.store.execute(
                "INSERT INTO cfn_custom (token,stack,logical_id,request) VALUES (?,?,?,?)",
                (token, stack_id, logical_id, f"{request_id} {request_type}"),
            )
        return token, request_id, True

    def close_request(self, stack_id: str, logical_id: str) -> None:
        self.store.execute("DELETE FROM cfn_custom WHERE stack=? AND logical_id=?", (stack_id, logical_id))

    async def answer(self, token: str, seconds: float) -> dict[str, Any] | None:
        """The function's answer; None when there is none after `seconds` of the clock."""
        row = self.store.one("SELECT response FROM cfn_custom WHERE token=?", (token,))
        if row is not None and row["response"] is not None:
            found: dict[str, Any] = orjson.loads(row["response"])
            return found
        future = self._answers.setdefault(token, asyncio.get_running_loop().create_future())
        timer = asyncio.ensure_future(self.clock.sleep(seconds))
        try:
            await asyncio.wait((future, timer), return_when=asyncio.FIRST_COMPLETED)
            return future.result() if future.done() else None
        finally:
            timer.cancel()
            self._answers.pop(token, None)

    def custom_resource_response(self, token: str, body: bytes) -> bool:
        """Takes what was PUT to a ResponseURL. False where nobody waits for it, or it is no answer."""
        try:
            response = orjson.loads(body)
        except orjson.JSONDecodeError:
            return False
        if not isinstance(response, dict) or response.get("Status") not in _STATUSES:
            return False
        with self.store.transaction():
            taken = self.store.execute(
                "UPDATE cfn_custom SET response=? WHERE token=? AND response IS NULL",
                (orjson.dumps(response), token),
            )
        future = self._answers.get(token)
        if taken.rowcount and future is not None and not future.done():
            future.set_result(response)
        return taken.rowcount > 0
