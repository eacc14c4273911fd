"""Whole services as users of serverless-offline have them, started with `pileus offline`: a folder with a serverless.yml,
its handlers, and `asked.json`, the requests with what AWS answers.

asked.json: `ask` is method and path; `with` headers; `send` the body; `at` the address (rest, http_api, lambda_api,
load_balancer; the first that there is). Expected: `status`; `answer`, of which objects name only what counts (`null`:
nothing, or not there); `headers`, several of one name joined, `null` for none.
"""

from __future__ import annotations

import http.client
import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from offline_process import PATIENCE, OfflineProcess

CASES = sorted(file.parent for file in Path(__file__).parent.glob("*/asked.json"))

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="functions in Node.js need node")


@pytest.mark.parametrize("case", CASES, ids=lambda folder: folder.name)
def test_a_service_answers_as_in_aws(case: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(case, tmp_path / case.name)
    with OfflineProcess(folder, "--ephemeral") as offline:
        ready = offline.events[-1]
        for asked in json.loads((case / "asked.json").read_text()):
            status, headers, body = _answer(ready, asked)
            told = f"{asked['ask']} {asked.get('with', '')}: {status} {body[:300]!r}"
            assert status == asked["status"], told
            for name, value in asked.get("headers", {}).items():
                assert (", ".join(headers.get(name, [])) or None) == value, told
            if "answer" in asked:
                assert _has(_value(body, asked["answer"]), asked["answer"]), told


def _answer(ready: dict[str, Any], asked: dict[str, Any]) -> tuple[int, dict[str, list[str]], str]:
    kinds = [asked["at"]] if "at" in asked else ["rest", "http_api"]
    address = next(ready[kind] for kind in kinds if ready[kind])
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)
    method, path = asked["ask"].split(" ", 1)
    try:
        connection.request(method, path, body=asked.get("send"), headers=asked.get("with", {}))
        response = connection.getresponse()
        headers: dict[str, list[str]] = {}
        for name, value in response.getheaders():
            headers.setdefault(name.lower(), []).append(value)
        return response.status, headers, response.read().decode()
    finally:
        connection.close()


def _value(body: str, wanted: object) -> Any:
    return body if isinstance(wanted, str) and body[:1] != '"' else json.loads(body)


def _has(found: Any, wanted: Any) -> bool:
    """Whether `found` is `wanted`, apart from members of objects that `wanted` does not name."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_has(found.get(key), wanted[key]) for key in wanted)
    return bool(found == wanted)
