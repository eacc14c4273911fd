"""What a segment document must have, and what a trace's segments add up to.

Source: "AWS X-Ray segment documents" in the developer guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_TRACE_ID = re.compile(r"1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}")
_ID = re.compile(r"[0-9a-fA-F]{16}")
MAX_BYTES = 64 * 1024


def problem(document: Mapping[str, Any]) -> str | None:
    """Why X-Ray would not take the document; None if it would."""
    if not _ID.fullmatch(str(document.get("id", ""))):
        return "Invalid segment. Missing or malformed id"
    if not _TRACE_ID.fullmatch(str(document.get("trace_id", ""))):
        return "Invalid segment. Missing or malformed trace_id"
    if not isinstance(document.get("start_time"), (int, float)):
        return "Invalid segment. Missing start_time"
    if not document.get("name"):
        return "Invalid segment. Missing name"
    if "end_time" not in document and not document.get("in_progress"):
        return "Invalid segment. Missing end_time or in_progress"
    return None


def summary(trace_id: str, documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A TraceSummary of the segments of one trace."""
    start = min(d["start_time"] for d in documents)
    end = max(d.get("end_time", d["start_time"]) for d in documents)
    root = min(
        (d for d in documents if not d.get("parent_id")), key=_started, default=min(documents, key=_started)
    )
    http = root.get("http") or {}
    request, response = http.get("request") or {}, http.get("response") or {}
    annotations: dict[str, list[dict[str, Any]]] = {}
    for document in documents:
        for key, value in _annotations(document):
            annotations.setdefault(key, []).append({"AnnotationValue": _annotation_value(value)})
    return {
        "Id": trace_id,
        "StartTime": start,
        "Duration": end - start,
        "ResponseTime": root.get("end_time", end) - root["start_time"],
        "HasFault": any(d.get("fault") for d in documents),
        "HasError": any(d.get("error") for d in documents),
        "HasThrottle": any(d.get("throttle") for d in documents),
        "IsPartial": any(d.get("in_progress") for d in documents),
        "Http": {
            "HttpURL": request.get("url"),
            "HttpMethod": request.get("method"),
            "HttpStatus": response.get("status"),
            "ClientIp": request.get("client_ip"),
            "UserAgent": request.get("user_agent"),
        },
        "Annotations": annotations,
        "ServiceIds": [{"Name": d["name"], "Type": d.get("origin")} for d in documents],
        "EntryPoint": {"Name": root["name"], "Type": root.get("origin")},
    }


def _started(document: Mapping[str, Any]) -> float:
    return float(document["start_time"])


def _annotations(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found = list((document.get("annotations") or {}).items())
    for child in document.get("subsegments") or ():
        found += _annotations(child)
    return found


def _annotation_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BooleanValue": value}
    if isinstance(value, (int, float)):
        return {"NumberValue": float(value)}
    return {"StringValue": str(value)}
