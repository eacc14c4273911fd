"""Function URLs: their settings. What answers at them is in url_plane.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from ...kernel import Call, operation
from .base import Config
from .errors import InvalidParameterValueException, ResourceConflictException, ResourceNotFoundException
from .invocation import Invoking
from .names import LATEST, FunctionName
from .paging import page

Request = Mapping[str, Any]
_KEY = "account=? AND region=? AND name=? AND qualifier=?"
_MEMBERS = ("AuthType", "Cors", "InvokeMode")


class Urls(Invoking):
    @operation("CreateFunctionUrlConfig")
    def create_function_url_config(self, call: Call, request: Request) -> Config:
        name = self._url_name(call, request)
        if self._url_row(name) is not None:
            raise ResourceConflictException(
                f"Failed to create function url config for [functionArn = {name.qualified_arn}]. Error message:  "
                "FunctionUrlConfig exists for this Lambda function"
            )
        now = _moment(call.now)
        config = {
            "FunctionArn": name.qualified_arn,
            "CreationTime": now,
            "InvokeMode": "BUFFERED",
            **{member: request[member] for member in _MEMBERS if member in request},
            "LastModifiedTime": now,
        }
        identifier = call.ids.lower(32)
        self.store.execute(
            "INSERT INTO lambda_url (account,region,name,qualifier,id,config) VALUES (?,?,?,?,?,?)",
            (*name.key, name.qualifier, identifier, orjson.dumps(config)),
        )
        shown = self._shown_url(call.base_url, identifier, name.region, config)
        del shown["LastModifiedTime"]  # which the answer does not have
        return shown

    @operation("GetFunctionUrlConfig", reads=True)
    def get_function_url_config(self, call: Call, request: Request) -> Config:
        name = self._url_name(call, request)
        identifier, config = self._known_url(name)
        return self._shown_url(call.base_url, identifier, name.region, config)

    @operation("UpdateFunctionUrlConfig")
    def update_function_url_config(self, call: Call, request: Request) -> Config:
        name = self._url_name(call, request)
        identifier, config = self._known_url(name)
        config.update({member: request[member] for member in _MEMBERS if member in request})
        config["LastModifiedTime"] = _moment(call.now)
        self.store.execute(
            f"UPDATE lambda_url SET config=? WHERE {_KEY}", (orjson.dumps(config), *name.key, name.qualifier)
        )
        self._url_changed()
        return self._shown_url(call.base_url, identifier, name.region, config)

    @operation("DeleteFunctionUrlConfig")
    def delete_function_url_config(self, call: Call, request: Request) -> Config:
        name = self._url_name(call, request)
        self._known_url(name)
        self.store.execute(f"DELETE FROM lambda_url WHERE {_KEY}", (*name.key, name.qualifier))
        self._url_changed()
        return {}

    @operation("ListFunctionUrlConfigs", reads=True)
    def list_function_url_configs(self, call: Call, request: Request) -> Config:
        name = FunctionName.of(call, request["FunctionName"]).at("")
        self.function_row(name)
        rows, marker = page(
            self.store,
            "SELECT qualifier, id, config FROM lambda_url WHERE account=? AND region=? AND name=?",
            name.key,
            ("qualifier",),
            request,
            default=50,
        )
        shown = [
            self._shown_url(call.base_url, row["id"], name.region, orjson.loads(row["config"]))
            for row in rows
        ]
        return {"FunctionUrlConfigs": shown, "NextMarker": marker}

    def _url_name(self, call: Call, request: Request) -> FunctionName:
        """A function, or an alias of one: versions have no URL."""
        name = FunctionName.of(call, request["FunctionName"], request.get("Qualifier"))
        if name.qualifier == LATEST:
            name = name.at("")
        if name.qualifier.isdigit():
            raise InvalidParameterValueException(
                "1 validation error detected: Value at 'qualifier' failed to satisfy constraint: Member must satisfy "
                r"regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)"
            )
        self.version(name)
        return name

    def _url_row(self, name: FunctionName) -> Any:
        return self.store.one(f"SELECT id, config FROM lambda_url WHERE {_KEY}", (*name.key, name.qualifier))

    def _known_url(self, name: FunctionName) -> tuple[str, Config]:
        row = self._url_row(name)
        if row is None:
            raise ResourceNotFoundException("The resource you requested does not exist.")
        return row["id"], orjson.loads(row["config"])

    @staticmethod
    def _shown_url(base: str, identifier: str, region: str, config: Config) -> Config:
        """AWS's `https://{id}.lambda-url.{region}.on.aws/`, at the port at which this cloud was reached."""
        parts = urlsplit(base)
        port = f":{parts.port}" if parts.port else ""
        return {
            **config,
            "FunctionUrl": f"{parts.scheme}://{identifier}.lambda-url.{region}.localhost{port}/",
        }

    def _url_changed(self) -> None:
        self.forget()
        self.store.on_rollback(self.forget)
        self.store.after_commit(self.forget)


def _moment(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
