"""The data plane: a request to a listener, its rules in order of priority, and the function behind the first that holds."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pileus.cloud.kernel import AwsError, HttpRequest, HttpResponse

from .actions import groups_of
from .conditions import Test, compiled
from .groups import MANY
from .health import Health
from .items import Document, Items, Kind
from .messages import BadGateway, event_of, page, response_of

if TYPE_CHECKING:
    from pileus.cloud.kernel import Cloud

log = logging.getLogger("pileus.elbv2")

_LARGEST_BODY = 1024 * 1024
_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class _Group:
    arn: str
    function: str | None
    many: bool


@dataclass(frozen=True, slots=True)
class _Action:
    """groups: with their weights, of a forward action; else `answer` is what to say or where to send the client."""

    groups: tuple[tuple[_Group, int], ...]
    kind: str
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Listener:
    rules: tuple[tuple[tuple[Test, ...], _Action], ...]
    default: _Action


class Plane:
    def __init__(self, cloud: Cloud, items: Items) -> None:
        self._cloud = cloud
        self._items = items
        self._listeners: dict[str, _Listener | None] = {}
        self.health = Health(cloud)

    def forget(self) -> None:
        """What is kept in memory is dropped when anything changes."""
        self._listeners.clear()

    def finds(self, listeners: Iterable[str], request: HttpRequest, path: str) -> bool:
        """Whether a rule of one of the listeners takes the request."""
        return any(self._matching(arn, request, path) is not None for arn in listeners)

    async def serve(self, listeners: Iterable[str], request: HttpRequest, path: str) -> HttpResponse:
        """The first listener with a rule for the request answers, else the first one's default action does.

        path: percent-encoded. A load balancer has one listener a port; more than one stand here on one.
        """
        default: _Action | None = None
        for arn in listeners:
            action = self._matching(arn, request, path)
            if action is not None:
                return await self._act(action, request, path)
            listener = self._listener(arn)
            if default is None and listener is not None:
                default = listener.default
        return page(503) if default is None else await self._act(default, request, path)

    def _matching(self, arn: str, request: HttpRequest, path: str) -> _Action | None:
        listener = self._listener(arn)
        if listener is None:
            return None
        for tests, action in listener.rules:
            if all(test(request, path) for test in tests):
                return action
        return None

    def _listener(self, arn: str) -> _Listener | None:
        if arn not in self._listeners:
            document = self._items.find(Kind.LISTENER, arn)
            self._listeners[arn] = None if document is None else self._compiled(document)
        return self._listeners[arn]

    def _compiled(self, document: Document) -> _Listener:
        rules = sorted(self._items.under(document["ListenerArn"]), key=lambda rule: int(rule["Priority"]))
        return _Listener(
            tuple(
                (tuple(compiled(each) for each in rule["Conditions"]), self._action(rule["Actions"]))
                for rule in rules
            ),
            self._action(document["DefaultActions"]),
        )

    def _action(self, actions: list[Document]) -> _Action:
        """The last one: those before it would authenticate, and are refused when they are made."""
        action = max(actions, key=lambda each: each.get("Order") or 1)
        groups = tuple((self._group(arn), weight) for arn, weight in groups_of(action))
        answer = action.get("FixedResponseConfig") or action.get("RedirectConfig") or {}
        return _Action(groups, action["Type"], answer)

    def _group(self, arn: str) -> _Group:
        document = self._items.find(Kind.GROUP, arn) or {"_targets": [], "_attributes": {}}
        targets = document["_targets"]
        return _Group(arn, targets[0] if targets else None, document["_attributes"].get(MANY) == "true")

    # -- actions ----------------------------------------------------------------------------------------------------

    async def _act(self, action: _Action, request: HttpRequest, path: str) -> HttpResponse:
        if action.kind == "fixed-response":
            headers = {
                "server": "awselb/2.0",
                "content-type": action.answer.get("ContentType") or "text/plain",
            }
            body = (action.answer.get("MessageBody") or "").encode()
            return HttpResponse(int(action.answer["StatusCode"]), headers, body)
        if action.kind == "redirect":
            return _redirect(action.answer, request, path)
        group = self._chosen(action)
        if group is None or group.function is None:
            return page(503)
        if len(request.body) > _LARGEST_BODY:
            return page(413)
        return await self._invoke(group, group.function, request, path)

    def _chosen(self, action: _Action) -> _Group | None:
        total = sum(weight for _, weight in action.groups)
        if len(action.groups) == 1 and total:
            return action.groups[0][0]
        drawn = int(self._cloud.ids.hex(8), 16) % total if total else 0
        for group, weight in action.groups:
            drawn -= weight
            if drawn < 0:
                return group
        return None

    async def _invoke(self, group: _Group, function: str, request: HttpRequest, path: str) -> HttpResponse:
        now = int(self._cloud.clock.now())
        trace = request.headers.get("x-amzn-trace-id") or f"Root=1-{now:08x}-{self._cloud.ids.hex(24)}"
        port = request.host.partition(":")[2] or _PORTS[request.scheme]
        event = event_of(request, path, group.arn, trace, group.many, port)
        try:
            result = await self._cloud.functions.invoke(function, event, trace=trace, source_arn=group.arn)
        except AwsError as error:
            log.warning("elbv2: %s was not run: %s", function, error)
            return page(502)
        if result.function_error is not None:
            return page(502)
        try:
            return response_of(result.payload, group.many)
        except BadGateway as wrong:
            log.warning("elbv2: %s answered what no load balancer takes: %s", function, wrong)
            return page(502)


def _redirect(config: dict[str, Any], request: HttpRequest, path: str) -> HttpResponse:
    host, _, port = request.host.partition(":")
    known = {
        "#{protocol}": request.scheme,
        "#{host}": host,
        "#{port}": port or _PORTS[request.scheme],
        "#{path}": path.lstrip("/"),
        "#{query}": request.query,
    }

    def filled(name: str, default: str) -> str:
        text = str(config.get(name) or default)
        for placeholder, value in known.items():
            text = text.replace(placeholder, value)
        return text

    protocol = filled("Protocol", "#{protocol}").lower()
    query = filled("Query", "#{query}")
    place = (
        f"{protocol}://{filled('Host', '#{host}')}:{filled('Port', '#{port}')}{filled('Path', '/#{path}')}"
    )
    status = int(config["StatusCode"].removeprefix("HTTP_"))
    response = page(status)
    response.headers["location"] = f"{place}?{query}" if query else place
    return response
