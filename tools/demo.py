"""`make demo`: the reference service's whole story, driven from outside with plain HTTP and boto3.

Writes the service with `pileus new` into build/demo, runs it with `pileus offline`, and goes through what its users
do. Each step is one function, shown with its time; a step that does not hold ends the demo with exit code 1.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "demo" / "shop"
PILEUS = str(Path(sys.executable).with_name("pileus"))
DAY = 86_400
PATIENCE = 60  # seconds, on a machine however slow
STEPS: list[tuple[str, Callable[[Story], str | None]]] = []


class StepFailed(Exception):
    """A step of the story did not hold."""


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any


@dataclass
class Server:
    """One `pileus offline`, and what it prints."""

    ports: tuple[int, int]
    process: subprocess.Popen[str] = field(init=False)
    lines: list[str] = field(default_factory=list)
    api: str = ""
    endpoint: str = ""

    def start(self) -> float:
        """Starts it and waits for `Server ready`. Returns the seconds that took."""
        began = time.perf_counter()
        self.lines.clear()
        self.api = ""
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        self.process = subprocess.Popen(
            [PILEUS, "offline", "--http-port", str(self.ports[0]), "--port", str(self.ports[1])],
            cwd=FOLDER, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        reader.start()
        while not self.api:
            if not reader.is_alive() and not self.api:
                raise StepFailed("pileus offline ended:\n  " + "\n  ".join(self.lines[-20:]))
            if time.perf_counter() - began > PATIENCE:
                raise StepFailed(f"not ready after {PATIENCE} s:\n  " + "\n  ".join(self.lines[-20:]))
            time.sleep(0.002)
        self.endpoint = f"http://127.0.0.1:{self.ports[1]}"
        return time.perf_counter() - began

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line.rstrip("\n"))
            if match := re.match(r"Server ready: (\S+)", line):
                self.api = match[1]

    def children(self) -> list[int]:
        """Processes that descend from the server."""
        found, frontier = [], [self.process.pid]
        while frontier:
            parent = frontier.pop()
            for task in Path(f"/proc/{parent}/task").glob("*/children"):
                pids = [int(pid) for pid in task.read_text().split()]
                found += pids
                frontier += pids
        return found

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> str:
        """Ctrl-C. Returns what is wrong with how it ended, if anything."""
        children = self.children()
        self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"still running {PATIENCE} s after Ctrl-C"
        left = still_alive(children)
        return f"processes left over: {left}" if left else f"exit code {code}" if code else ""

    def end(self) -> None:
        """Whatever happened: nothing of it runs on."""
        if hasattr(self, "process") and self.process.poll() is None:
            self.kill()


class Story:
    """What the steps share."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.tokens: dict[str, str] = {}
        self.ids: dict[str, str] = {}

    def call(
        self, method: str, path: str, body: Any = None, *, who: str | None = None, **headers: str
    ) -> Answer:
        """A request to the service's API."""
        if who is not None:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        return self.send(method, f"{self.server.api}{path}", data, headers)

    def send(self, method: str, url: str, data: bytes | None, headers: dict[str, str]) -> Answer:
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=40) as response:
                return Answer(response.status, _parsed(response.read()), response.headers)
        except urllib.error.HTTPError as error:
            return Answer(error.code, _parsed(error.read()), error.headers)

    def aws(self, service: str) -> Any:
        import boto3

        return boto3.client(
            service, endpoint_url=self.server.endpoint, region_name="us-east-1",
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip

    def side_door(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body or {}).encode() if method == "POST" else None
        return self.send(method, f"{self.server.endpoint}/_pileus/{path}", data, {}).body

    def drain(self) -> None:
        self.side_door("POST", "drain")

    def travel(self, seconds: float) -> None:
        self.side_door("POST", "travel", {"seconds": seconds})

    def mails(self, address: str) -> list[dict[str, Any]]:
        return [m for m in self.side_door("GET", "outbox")["messages"] if address in m["to"]]

    def sign_up(self, name: str, address: str) -> Answer:
        return self.call("POST", "/users", {"email": address, "name": name, "password": f"{name}-password"})

    def sign_in(self, name: str, address: str) -> Answer:
        answer = self.call("POST", "/auth/token", {"email": address, "password": f"{name}-password"})
        if answer.status == 200:
            self.tokens[name] = answer.body["data"]["accessToken"]
        return answer


def step(title: str) -> Callable[[Callable[[Story], str | None]], Callable[[Story], str | None]]:
    def mark(function: Callable[[Story], str | None]) -> Callable[[Story], str | None]:
        STEPS.append((title, function))
        return function

    return mark


def expect(found: Any, wanted: Any, what: str) -> None:
    if found != wanted:
        raise StepFailed(f"{what}: expected {wanted!r}, got {found!r}")


# -- users and auth ----------------------------------------------------------------------------------------------------


@step("sign up: 201, and an invalid body is a 400 that names the field")
def sign_up(story: Story) -> str:
    answer = story.sign_up("admin", "admin@example.com")
    expect(answer.status, 201, f"sign-up ({answer.body})")
    story.ids["admin"] = answer.body["data"]["id"]
    expect("password" in json.dumps(answer.body), False, "a password in the answer")
    wrong = story.call("POST", "/users", {"email": "no-address", "name": "x", "password": "long enough"})
    expect((wrong.status, "email" in json.dumps(wrong.body)), (400, True), f"invalid body ({wrong.body})")
    return json.dumps(wrong.body)[:90]


@step("six sign-ups with one address at the same moment: one wins, five get 409")
def duplicates(story: Story) -> None:
    with ThreadPoolExecutor(6) as pool:
        found = sorted(
            a.status for a in pool.map(lambda _: story.sign_up("ada", "ada@example.com"), range(6))
        )
    expect(found, [201, 409, 409, 409, 409, 409], "statuses")


@step("the event went over EventBridge and SQS to SES: one welcome mail each")
def mails(story: Story) -> str:
    story.drain()
    for address in ("admin@example.com", "ada@example.com"):
        expect(len(story.mails(address)), 1, f"mails to {address}")
    return str(story.mails("admin@example.com")[0]["subject"])


@step("follow the link of the mail, then sign in: a JWT, and the first admin")
def verify(story: Story) -> None:
    token = re.search(r"token=([\w\-.~%]+)", story.mails("admin@example.com")[0]["body"])
    if token is None:
        raise StepFailed("no link in the mail")
    expect(story.call("GET", f"/auth/verify?token={token[1]}").status, 200, "verify")
    expect(story.sign_in("admin", "admin@example.com").status, 200, "sign-in of the admin")
    answer = story.sign_in("ada", "ada@example.com")
    expect(answer.status, 200, "sign-in of ada")
    story.ids["ada"] = json.loads(_padded(story.tokens["ada"].split(".")[1]))["sub"]
    wrong = story.call("POST", "/auth/token", {"email": "ada@example.com", "password": "not the password"})
    expect(wrong.status, 401, "wrong password")


@step("the authorizer refuses absent, malformed, expired, foreign and alg=none tokens")
def refused_tokens(story: Story) -> None:
    import jwt

    secret = story.aws("secretsmanager").get_secret_value(SecretId="shop/dev/jwt-secret")["SecretString"]
    claims = jwt.decode(story.tokens["ada"], options={"verify_signature": False})
    past = jwt.encode({**claims, "iat": 1, "exp": 2}, secret, algorithm="HS256")
    foreign = jwt.encode(claims, "another secret that is long enough for HS256", algorithm="HS256")
    unsigned = jwt.encode(claims, None, algorithm="none")
    path = f"/users/{story.ids['ada']}"
    expect(story.call("GET", path).status, 401, "absent token")
    for name, token in (
        ("malformed", "x.y.z"),
        ("expired", past),
        ("foreign", foreign),
        ("unsigned", unsigned),
    ):
        answer = story.call("GET", path, Authorization=f"Bearer {token}")
        expect(answer.status, 401, f"{name} token ({answer.body})")
    expect(story.call("GET", path, who="ada").status, 200, "a good token")


@step("get, list (paged), update, delete; an unknown id is a 404")
def users(story: Story) -> None:
    for number in range(3):
        expect(story.sign_up("temp", f"temp{number}@example.com").status, 201, "sign-up")
    seen: list[str] = []
    token = ""
    while True:
        page = story.call("GET", f"/users?limit=2{token}", who="admin")
        expect(page.status, 200, f"list ({page.body})")
        seen += [user["email"] for user in page.body["data"]]
        if not page.body.get("nextToken"):
            break
        token = f"&nextToken={page.body['nextToken']}"
    expect(len(seen), len(set(seen)), "users listed once")
    expect(len(seen), 5, "users in the list")
    changed = story.call("PUT", f"/users/{story.ids['ada']}", {"name": "Ada Lovelace"}, who="ada")
    expect((changed.status, changed.body["data"]["name"]), (200, "Ada Lovelace"), "update")
    expect(
        story.call("GET", "/users/00000000-0000-4000-8000-000000000000", who="admin").status,
        404,
        "unknown id",
    )
    listed = story.call("GET", "/users?limit=50", who="admin").body["data"]
    gone = next(user["id"] for user in listed if user["email"] == "temp0@example.com")
    expect(story.call("DELETE", f"/users/{gone}", who="admin").status, 204, "delete")
    expect(story.call("GET", f"/users/{gone}", who="admin").status, 404, "deleted user")


# -- products ----------------------------------------------------------------------------------------------------------


@step("products: admins write, prices are decimals, the export needs an API key")
def products(story: Story) -> None:
    product = {"name": "Umbrella", "price": "19.90"}
    expect(story.call("POST", "/products", product, who="ada").status, 403, "write without the admin role")
    made = story.call("POST", "/products", product, who="admin")
    expect((made.status, made.body.get("data", {}).get("price")), (201, "19.90"), f"create ({made.body})")
    path = f"/products/{made.body['data']['id']}"
    story.ids["product"] = path
    expect(story.call("PUT", path, {"price": "0.1"}, who="admin").body["data"]["price"], "0.10", "update")
    expect(story.call("GET", path, who="ada").status, 200, "get")
    expect(story.call("GET", "/products/export", who="ada").status, 403, "export without a key")
    (key,) = story.aws("apigateway").get_api_keys(includeValues=True)["items"]
    export = story.call("GET", "/products/export", who="ada", **{"x-api-key": key["value"]})
    expect(export.status, 200, f"export with the key ({export.body})")


@step("CORS: a browser's preflight is answered by API Gateway itself")
def cors(story: Story) -> None:
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    answer = story.call("OPTIONS", "/users", **headers)
    expect((answer.status, answer.headers["Access-Control-Allow-Origin"]), (200, "*"), "preflight")


# -- media -------------------------------------------------------------------------------------------------------------


def _upload(story: Story, data: bytes) -> dict[str, Any]:
    asked = story.call("POST", "/media/uploads", {"contentType": "image/jpeg", "size": len(data)}, who="ada")
    expect(asked.status, 201, f"upload URL ({asked.body})")
    upload: dict[str, Any] = asked.body["data"]
    put = story.send("PUT", upload["upload"]["url"], data, upload["upload"]["headers"])
    expect(put.status, 200, f"presigned PUT ({put.body})")
    story.drain()
    shown: dict[str, Any] = story.call("GET", f"/media/uploads/{upload['id']}", who="ada").body["data"]
    return {**upload, **shown}


@step("upload by presigned URL: S3 tells Lambda, Lambda writes a 200×200 thumbnail")
def thumbnail(story: Story) -> str:
    from PIL import Image

    picture = io.BytesIO()
    Image.linear_gradient("L").resize((1200, 800)).convert("RGB").save(picture, "JPEG")
    upload = _upload(story, picture.getvalue())
    expect(upload["status"], "processed", "status")
    key = upload["key"].replace("uploads/", "thumbnails/")
    body = story.aws("s3").get_object(Bucket="shop-dev-uploads", Key=key)["Body"].read()
    expect(Image.open(io.BytesIO(body)).size, (200, 200), "size of the thumbnail")
    return key


@step("a corrupt image is reported and skipped, not tried for ever")
def corrupt(story: Story) -> str:
    upload = _upload(story, b"\xff\xd8\xff this is no picture")
    expect(upload["status"], "rejected", "status")
    return str(upload["reason"])


# -- notifications and tasks ---------------------------------------------------------------------------------------------


@step("a redelivered message sends no second mail; poison is in the DLQ after three receives")
def redelivery(story: Story) -> None:
    sqs, users_table = story.aws("sqs"), story.aws("dynamodb")
    item = users_table.get_item(TableName="shop-dev-users", Key={"id": {"S": story.ids["ada"]}})["Item"]
    detail = {"userId": item["id"]["S"], "verificationId": item["verificationId"]["S"]}
    queue = sqs.get_queue_url(QueueName="shop-dev-notifications")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"detail": detail}))
    sqs.send_message(QueueUrl=queue, MessageBody="poison")
    for _ in range(3):
        story.drain()
        story.travel(61)
    story.drain()
    expect(len(story.mails("ada@example.com")), 1, "mails to ada")
    dead = sqs.get_queue_url(QueueName="shop-dev-notifications-dlq")["QueueUrl"]
    found = [
        message["Body"] for message in sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)["Messages"]
    ]
    expect(found, ["poison"], "dead letters")


@step("save a handler: the next request runs it; a syntax error is a 502, the next save heals it")
def reload(story: Story) -> str:
    file = FOLDER / "src/functions/products/get.py"
    good = file.read_text()
    changed = good.replace("return ok(products.get(product_id).public())", 'return ok({"changed": True})')
    expect(changed != good, True, "the handler to change")
    path = story.ids["product"]
    try:
        file.write_text(changed)
        began = time.perf_counter()
        answer = story.call("GET", path, who="ada")
        took = time.perf_counter() - began
        expect(answer.body, {"data": {"changed": True}}, "the changed handler")
        file.write_text(good + "\ndef broken(:\n")
        expect(story.call("GET", path, who="ada").status, 502, "a syntax error")
    finally:
        file.write_text(good)
    expect(story.call("GET", path, who="ada").body["data"]["price"], "0.10", "the healed handler")
    return f"{took * 1000:.0f} ms from save to the new answer"


@step("a trace of it all is in X-Ray, logs and metrics in CloudWatch")
def observability(story: Story) -> str:
    logs = story.aws("logs")
    lines = logs.filter_log_events(logGroupName="/aws/lambda/shop-dev-createUser", filterPattern="REPORT")[
        "events"
    ]
    expect(len(lines) > 0, True, "REPORT lines")
    now = time.time()
    traces = story.aws("xray").get_trace_summaries(StartTime=now - 3600, EndTime=now + 3600)["TraceSummaries"]
    expect(len(traces) > 0, True, "traces")
    metrics = story.aws("cloudwatch").list_metrics(Namespace="shop")["Metrics"]
    expect(len(metrics) > 0, True, "metrics")
    return f"{len(traces)} traces, {len({m['MetricName'] for m in metrics})} metrics"


@step("kill -9 right after an answer: nothing is lost, the mail still comes, no process is left over")
def killed(story: Story) -> str:
    expect(story.sign_up("grace", "grace@example.com").status, 201, "sign-up")
    children = story.server.children()
    story.server.kill()
    expect(still_alive(children), [], "processes left over")
    seconds = story.server.start()
    story.drain()
    story.travel(61)  # what the killed poller had received is visible again after the queue's timeout
    story.drain()
    expect(len(story.mails("grace@example.com")), 1, "mails to grace")
    expect(story.sign_in("grace", "grace@example.com").status, 200, "sign-in after the kill")
    expect(story.call("GET", story.ids["product"], who="grace").status, 200, "the product after the kill")
    return f"up again in {seconds:.2f} s"


@step("eight days later: the nightly cleanup has removed who never confirmed, and expired uploads")
def cleanup(story: Story) -> str:
    pending = story.call("POST", "/media/uploads", {"contentType": "image/jpeg", "size": 10}, who="ada").body[
        "data"
    ]
    began = time.perf_counter()
    story.travel(8 * DAY)
    took = time.perf_counter() - began
    expect(story.call("GET", f"/media/uploads/{pending['id']}", who="ada").status, 404, "an expired upload")
    left = [user["email"] for user in story.call("GET", "/users?limit=50", who="admin").body["data"]]
    expect(left, ["admin@example.com"], "users left")
    return f"{took:.2f} s for eight days"


def still_alive(pids: list[int]) -> list[int]:
    """Which of the processes run, once they have had the time to end."""
    deadline = time.monotonic() + 10
    while (running := [pid for pid in pids if _alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return running


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _padded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _free(port: int) -> int:
    """The port, or another one where somebody listens on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            with socket.socket() as other:
                other.bind(("127.0.0.1", 0))
                return int(other.getsockname()[1])
    return port


def tell(server: Server) -> bool:
    """Goes through the story. Returns whether every step held."""
    story = Story(server)
    for title, function in STEPS:
        began = time.perf_counter()
        try:
            remark = function(story)
        except Exception as error:
            print(f"✗ {title}\n  {type(error).__name__}: {error}")
            print("  The last lines of pileus offline:")
            for line in server.lines[-25:]:
                print(f"    {line[:300]}")
            return False
        took = (time.perf_counter() - began) * 1000
        print(f"✓ {title}  ({took:.0f} ms)" + (f"\n    {remark}" if remark else ""), flush=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--exit", action="store_true", help="stop after the story instead of leaving it running"
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    server = Server((_free(3000), _free(4566)))
    try:
        return demonstrate(server, leave_running=not arguments.exit)
    except KeyboardInterrupt:
        print("\nInterrupted.")
        return 130
    finally:
        server.end()


def demonstrate(server: Server, *, leave_running: bool) -> int:
    """Writes the service, runs it, tells its story. Returns the exit code."""
    shutil.rmtree(FOLDER.parent, ignore_errors=True)
    FOLDER.parent.mkdir(parents=True)
    subprocess.run([PILEUS, "new", str(FOLDER)], check=True, stdout=subprocess.DEVNULL)
    print(f"✓ pileus new {FOLDER.relative_to(ROOT)}")
    try:
        seconds = server.start()
    except StepFailed as error:
        print(f"✗ pileus offline\n  {error}")
        return 1
    print(f"✓ pileus offline: ready at {server.api}  ({seconds:.2f} s)")
    held = tell(server)
    if held and leave_running:
        return _left_running(server)
    wrong = server.stop()
    print(f"✗ Ctrl-C: {wrong}" if wrong else "✓ stopped with Ctrl-C, no process left over")
    print("Every step held." if held and not wrong else "The demo failed.")
    return 0 if held and not wrong else 1


def _left_running(server: Server) -> int:
    print(f"\nLeft running (Ctrl-C stops it):\n  API       {server.api}\n  endpoint  {server.endpoint}"
          f"\n  folder    {FOLDER}", flush=True)  # fmt: skip
    try:
        return server.process.wait()
    except KeyboardInterrupt:  # the terminal has told the server as well
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(timeout=PATIENCE)
        return 0


if __name__ == "__main__":
    sys.exit(main())
