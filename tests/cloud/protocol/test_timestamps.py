"""The three formats of timestamps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.cloud.protocol import timestamps


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2015-10-21T07:28:00Z", 1445412480.0),
        ("2015-10-21T07:28:00.125Z", 1445412480.125),
        ("2015-10-21T09:28:00+02:00", 1445412480.0),
        ("2015-10-21T07:28:00", 1445412480.0),
        ("2015-10-21", 1445385600.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1445412480.0),
        ("1445412480", 1445412480.0),
        ("1445412480.5", 1445412480.5),
    ],
)
def test_read(text: str, moment: float) -> None:
    assert timestamps.from_text(text) == moment


@pytest.mark.parametrize("text", ["", "tomorrow", "2015-13-01T00:00:00Z", "Wed, 21 Xyz 2015 07:28:00 GMT"])
def test_refused(text: str) -> None:
    with pytest.raises((ValueError, IndexError, TypeError)):
        timestamps.from_text(text)


@pytest.mark.parametrize(
    ("moment", "iso", "whole", "http", "unix"),
    [
        (0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT", 0),
        (
            1445412480.1254,
            "2015-10-21T07:28:00.125Z",
            "2015-10-21T07:28:00Z",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            1445412480.125,
        ),
        (
            1445412479.9996,
            "2015-10-21T07:28:00.000Z",
            "2015-10-21T07:27:59Z",
            "Wed, 21 Oct 2015 07:27:59 GMT",
            1445412480,
        ),
        (
            datetime(2015, 10, 21, 9, 28, tzinfo=timezone(timedelta(hours=2))),
            "2015-10-21T07:28:00.000Z",
            "2015-10-21T07:28:00Z",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            1445412480,
        ),
        ("as it is", "as it is", "as it is", "as it is", "as it is"),
    ],
)
def test_write(moment: object, iso: str, whole: str, http: str, unix: object) -> None:
    assert timestamps.to_iso(moment) == iso
    assert timestamps.to_iso_whole(moment) == whole
    assert timestamps.to_http(moment) == http
    assert timestamps.to_unix(moment) == unix


@given(st.integers(0, 4_000_000_000_000).map(lambda millis: millis / 1000))
def test_round_trip(moment: float) -> None:
    assert timestamps.from_text(timestamps.to_iso(moment)) == pytest.approx(moment, abs=1e-6)
    assert (
        timestamps.to_iso(moment)
        == datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    )
