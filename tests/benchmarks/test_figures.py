"""What the tables of `python -m benchmarks` say about the rounds that were measured."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.figures import Figure, Row, Sample, interleaved


def figure(value: float) -> Figure:
    return Figure(value, value, value, 1)


def test_a_figure_is_the_median_with_its_extremes() -> None:
    found = Figure.of([Sample(90, 1.0, 5.0), Sample(100, 2.0, 9.0), Sample(130, 1.5, 7.0)])
    assert (found.value, found.low, found.high, found.rounds) == (100, 90, 130, 3)
    assert (found.p50, found.p99) == (1.5, 7.0)
    assert found.spread == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("unit", "ours", "theirs", "ratio"),
    [("/s", 3000, 1000, 3.0), ("/s", 500, 1000, 0.5), ("ms", 50, 200, 4.0), ("s", 2.0, 1.0, 0.5)],
)
def test_a_ratio_above_one_is_better_whatever_the_unit(
    unit: str, ours: float, theirs: float, ratio: float
) -> None:
    row = Row("b", "c", unit, {"pileus": figure(ours), "moto": figure(theirs)})
    assert row.ratio("moto") == pytest.approx(ratio)


def test_targets_are_reached_missed_or_unknown() -> None:
    figures = {"pileus": figure(800), "moto": figure(100), "ministack": figure(500)}
    row = Row("b", "c", "/s", figures, {"moto": 8, "ministack": 2, "absent": 1})
    assert row.verdicts() == [("≥ 8× moto", True), ("≥ 2× ministack", False), ("≥ 1× absent", False)]
    assert Row("b", "c", "s", {"pileus": figure(1.2)}, at_most=1.0).verdicts() == [("≤ 1 s", False)]
    assert Row("b", "c", "s", {"pileus": figure(0.9)}, at_most=1.0).verdicts() == [("≤ 1 s", True)]
    assert Row("b", "c", "s", {}, at_most=1.0).verdicts() == [("≤ 1 s", False)]


def test_contestants_take_turns_and_none_is_always_first() -> None:
    order = interleaved(["a", "b", "c"], 3)
    assert Counter(order) == Counter({(n, name): 1 for n in range(3) for name in "abc"})
    assert [name for n, name in order if n == 0] == ["a", "b", "c"]
    assert [name for n, name in order if n == 1] == ["b", "c", "a"]


def test_the_table_shows_failures_and_ratios() -> None:
    rows = [
        Row("sqs", "Send", "/s", {"pileus": figure(4000), "moto": figure(100)}, {"moto": 5}),
        Row("sqs", "Receive", "/s", {"pileus": figure(4000)}, failures={"moto": "answered 500"}),
    ]
    lines = report.plain(rows).splitlines()
    assert lines[0] == "SQS"
    assert lines[2].split() == ["Send", "4,000/s", "100/s", "40×", "0%", "≥", "5×", "moto", "✓"]
    assert "failed" in lines[3]
    assert lines[-1] == "failed: sqs Receive, moto: answered 500"


def test_json_holds_every_figure() -> None:
    row = Row("s3", "Put", "/s", {"pileus": figure(10), "moto": figure(5)}, {"moto": 5})
    (found,) = json.loads(json.dumps(report.as_json([row], {}, {})))["rows"]
    assert found["figures"]["pileus"]["median"] == 10
    assert found["ratios"] == {"moto": 2.0}
    assert found["targets"] == [{"target": "≥ 5× moto", "reached": False}]


def test_write_docs_replaces_what_is_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(report.DOCS.read_text(encoding="utf-8"), encoding="utf-8")
    for text in ("first figures", "second figures"):
        report.write_docs(text, page)
    written = page.read_text(encoding="utf-8")
    assert "second figures" in written
    assert "first figures" not in written
    assert written.startswith("# Benchmarks\n")
    report.write_docs("third", page)
    assert page.read_text(encoding="utf-8").count("<!-- end of figures -->") == 1


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Other\n", encoding="utf-8")
    with pytest.raises(ValueError, match="marks"):
        report.write_docs("figures", page)
    assert page.read_text(encoding="utf-8") == "# Other\n"
