"""Plots: round axes in human units, gaps as gaps, a limit line, and no work for equal data."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from tests.widgets.screen_text import lines_of
from widgets.metric_plot import MetricPlot, Series
from widgets.plot_canvas import Canvas, draw_series
from widgets.quantities import (
    axis_top,
    format_bytes,
    format_cores,
    format_count,
    format_duration,
    format_milliseconds,
    format_rate,
)
from widgets.sparkline import sparkline

MIB = 1024**2


class PlotApp(App[None]):
    def __init__(self, plot: MetricPlot) -> None:
        super().__init__()
        self.plot = plot

    def compose(self) -> ComposeResult:
        yield self.plot


def clock(time: float, span: float) -> str:
    return f"t{time:.0f}"


def plot(unit: Any = "count", **options: Any) -> MetricPlot:
    return MetricPlot("Load", unit, clock=clock, **options)


def points(*values: float | None) -> tuple[tuple[float, float | None], ...]:
    return tuple((float(i), value) for i, value in enumerate(values))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (format_cores(0), "0"),
        (format_cores(0.0123), "12.3m"),
        (format_cores(0.5), "500m"),
        (format_cores(1.25), "1.25"),
        (format_bytes(0), "0 B"),
        (format_bytes(1023), "1023 B"),
        (format_bytes(512 * MIB), "512 MiB"),
        (format_bytes(1.5 * 1024 * MIB), "1.5 GiB"),
        (format_rate(1234), "1.23k/s"),
        (format_count(999_999), "1M"),
        (format_milliseconds(12.34), "12.3 ms"),
        (format_milliseconds(1500), "1.5 s"),
        (format_duration(59), "59s"),
        (format_duration(61), "1m01s"),
        (format_duration(3 * 3600 + 12 * 60), "3h12m"),
        (format_duration(12 * 86_400), "12d"),
    ],
)
def test_numbers_read_as_people_write_them(text: str, expected: str) -> None:
    assert text == expected


@given(st.floats(0, 1e15), st.sampled_from(["cores", "bytes", "rate", "ms", "percent", "count"]))
def test_the_axis_reaches_over_the_highest_value_but_not_far(highest: float, unit: Any) -> None:
    top = axis_top(highest, unit)
    assert top >= highest * (1 - 1e-9)
    assert top <= max(highest * 2.6, axis_top(0, unit))


def test_the_axis_of_bytes_is_binary() -> None:
    assert axis_top(300 * MIB, "bytes") == 512 * MIB


async def test_title_axis_and_times_are_labelled() -> None:
    app = PlotApp(plot("bytes"))
    async with app.run_test(size=(80, 12)) as pilot:
        app.plot.show([Series("", points(100.0 * MIB, 200.0 * MIB, 150.0 * MIB))], limit=256.0 * MIB)
        await pilot.pause()
        shown = lines_of(app.plot)
        assert shown[0].startswith("Load  150 MiB (min 100 MiB, max 200 MiB)  limit 256 MiB")
        assert shown[1].startswith("256 MiB ┤") and shown[10].startswith("    0 B ┤")
        assert shown[11].split() == ["t0", "t1", "t2"]


async def test_gaps_are_gaps() -> None:
    app = PlotApp(plot(ascii_only=True))
    async with app.run_test(size=(60, 8)) as pilot:
        app.plot.show([Series("", points(5, 5, 5, None, None, None, 5, 5, 5))])
        await pilot.pause()
        drawn = next(text for text in lines_of(app.plot)[1:] if "*" in text)
        left, _, right = drawn.partition(" " * 15)
        assert left.rstrip().endswith("*") and right.strip().startswith("*")


def test_points_too_far_apart_are_not_joined() -> None:
    def dots(gap: float | None) -> str:
        canvas = Canvas(21, 1, ascii_only=True)
        draw_series(canvas, [(0, 1), (1, 1), (10, 1)], start=0, end=10, top=1, owner=0, gap=gap)
        return "".join(text for text, _ in canvas.runs(0))

    assert dots(None) == "*" * 21
    assert dots(2) == "***" + " " * 17 + "*"


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=300), st.integers(1, 40), st.integers(1, 10))
def test_no_peak_is_lost_however_narrow(values: list[float | None], columns: int, rows: int) -> None:
    canvas = Canvas(columns, rows)
    draw_series(canvas, points(*values), start=0, end=max(1, len(values) - 1), top=100, owner=0, gap=None)
    known = [value for value in values if value is not None]
    text = ["".join(run for run, _ in canvas.runs(row)) for row in range(rows)]
    assert all(len(row) == columns for row in text)
    highest = max(known, default=None)
    if highest is None:
        assert not "".join(text).strip()
    else:
        row = rows - 1 - round(highest / 100 * (rows * 4 - 1)) // 4
        assert text[row].strip()


async def test_several_series_have_their_own_colours_and_legend() -> None:
    app = PlotApp(plot())
    async with app.run_test(size=(80, 12)) as pilot:
        app.plot.show([Series("ok", points(9, 9)), Series("errors", points(1, 1))])
        await pilot.pause()
        assert "ok 9" in lines_of(app.plot)[0] and "errors 1" in lines_of(app.plot)[0]
        colors = {
            segment.style.color
            for y in range(1, 11)
            for segment in app.plot.render_line(y)
            if segment.style and any(ord(c) > 0x2800 for c in segment.text)
        }
        assert len(colors) == 2


async def test_nothing_measured_yet_says_so() -> None:
    app = PlotApp(plot(empty_text="No requests yet."))
    async with app.run_test(size=(40, 8)) as pilot:
        app.plot.show([Series("", points(None, None))])
        await pilot.pause()
        assert "No requests yet." in "\n".join(lines_of(app.plot))


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (20, 4), (10, 3), (3, 1)])
async def test_any_size_is_filled_without_failing(size: tuple[int, int]) -> None:
    app = PlotApp(plot("ms"))
    async with app.run_test(size=size) as pilot:
        app.plot.show([Series("p95", points(*(abs(math.sin(i / 9)) * 80 for i in range(500))))], limit=100)
        await pilot.pause()
        assert all(len(text) <= size[0] for text in lines_of(app.plot))


async def test_equal_data_costs_no_new_drawing() -> None:
    app = PlotApp(plot())
    async with app.run_test(size=(40, 8)) as pilot:
        app.plot.show([Series("", points(1, 2))])
        await pilot.pause()
        lines_of(app.plot)
        strips = app.plot._strips
        app.plot.show([Series("", points(1, 2))])
        await pilot.pause()
        lines_of(app.plot)
        assert app.plot._strips is strips


def test_sparklines_show_the_newest_values_with_gaps() -> None:
    assert sparkline([0, 4, None, 8], 6) == "  ▁▅ █"
    assert sparkline([1] * 50, 5, highest=8) == "▂▂▂▂▂"
    assert sparkline([], 3) == "   "
    assert sparkline([0, 0], 2) == "▁▁"
    assert sparkline([1, 2], 2, ascii_only=True).isascii()
