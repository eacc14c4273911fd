"""X-Ray: what goes in by API or by the daemon's UDP comes out as traces."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from pileus.testing import EmbeddedCloud

TRACE = "1-5759e988-bd862e3fe1be46a994272793"


def segment(**change: Any) -> dict[str, Any]:
    now = time.time()
    return {
        "id": "53995c3f42cd8ad8",
        "trace_id": TRACE,
        "name": "api",
        "start_time": now,
        "end_time": now + 1,
        **change,
    }


def test_segments_become_a_trace(aws: EmbeddedCloud) -> None:
    xray = aws.client("xray")
    child = segment(
        id="aaaaaaaaaaaaaaaa", parent_id="53995c3f42cd8ad8", name="db", fault=True, annotations={"n": 1}
    )
    answer = xray.put_trace_segments(
        TraceSegmentDocuments=[json.dumps(child), json.dumps(segment(start_time=time.time() - 1)), "{", "{}"]
    )
    assert len(answer["UnprocessedTraceSegments"]) == 2
    (trace,) = xray.batch_get_traces(TraceIds=[TRACE])["Traces"]
    assert [json.loads(s["Document"])["name"] for s in trace["Segments"]] == ["api", "db"]
    (found,) = xray.get_trace_summaries(StartTime=time.time() - 60, EndTime=time.time() + 60)[
        "TraceSummaries"
    ]
    assert (found["Id"], found["HasFault"], found["EntryPoint"]["Name"]) == (TRACE, True, "api")
    assert found["Annotations"]["n"][0]["AnnotationValue"] == {"NumberValue": 1.0}


def test_the_daemon_takes_datagrams_and_drops_nonsense(aws: EmbeddedCloud) -> None:
    host, _, port = aws.within(lambda cloud: cloud.settings.xray_daemon).partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for datagram in (b"nonsense", b'{"format": "json", "version": 1}\n{', b'{"format":"json"}\n[]'):
            client.sendto(datagram, (host, int(port)))
        document = json.dumps(segment()).encode()
        client.sendto(b'{"format": "json", "version": 1}\n' + document, (host, int(port)))
    xray = aws.client("xray")
    for _ in range(1000):  # UDP tells nobody when it has arrived
        if traces := xray.batch_get_traces(TraceIds=[TRACE])["Traces"]:
            break
    assert [t["Id"] for t in traces] == [TRACE]


def test_traces_are_kept_for_thirty_days(aws: EmbeddedCloud) -> None:
    xray = aws.client("xray")
    xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(segment())])
    aws.travel(29 * 86_400)
    assert xray.batch_get_traces(TraceIds=[TRACE])["Traces"]
    aws.travel(2.5 * 86_400)
    assert xray.batch_get_traces(TraceIds=[TRACE])["UnprocessedTraceIds"] == [TRACE]
