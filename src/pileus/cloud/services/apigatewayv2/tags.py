"""Tags of APIs and stages."""

from __future__ import annotations

import re

from pileus.cloud.kernel import Call, operation

from .base import Operations, Request, Result
from .documents import Document, Documents, Kind
from .errors import BadRequestException

_ARN = re.compile(r"arn:aws[\w-]*:apigateway:[\w-]+::/apis/([^/]+)(?:/stages/([^/]+))?")


class Tags(Operations):
    @operation("GetTags", reads=True)
    def get_tags(self, call: Call, request: Request) -> Result:
        return {"Tags": self._tagged(call, request["ResourceArn"])[2].get("Tags") or {}}

    @operation("TagResource")
    def tag_resource(self, call: Call, request: Request) -> None:
        kind, parent, document = self._tagged(call, request["ResourceArn"])
        document["Tags"] = {**(document.get("Tags") or {}), **(request.get("Tags") or {})}
        self._put(call, kind, parent, document)

    @operation("UntagResource")
    def untag_resource(self, call: Call, request: Request) -> None:
        kind, parent, document = self._tagged(call, request["ResourceArn"])
        tags = document.get("Tags") or {}
        document["Tags"] = {key: tags[key] for key in tags if key not in request["TagKeys"]}
        self._put(call, kind, parent, document)

    def _tagged(self, call: Call, arn: str) -> tuple[Kind, str, Document]:
        found = _ARN.fullmatch(arn)
        if found is None:
            raise BadRequestException(f"Invalid ARN specified in the request {arn}")
        api_id, stage = found.groups()
        if stage is None:
            return Kind.API, "", self.api(call, api_id)
        return Kind.STAGE, api_id, self.child(call, Kind.STAGE, api_id, stage)

    @staticmethod
    def _put(call: Call, kind: Kind, parent: str, document: Document) -> None:
        name = document["ApiId"] if kind is Kind.API else document["StageName"]
        Documents.of(call).put(kind, name, document, parent)
