"""ResourceTable: the cursor belongs to an object; only what changed is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message

from tests.widgets.screen_text import lines_of
from widgets.resource_table import Cell, Column, ResourceTable, Row
from widgets.table_columns import place_columns


@dataclass(frozen=True)
class Thing:
    name: str
    cpu: float | None = 0.0
    status: str = "running"


COLUMNS: list[Column[Thing]] = [
    Column("name", "NAME", lambda thing: thing.name, cut="middle", flex=1, min_width=8),
    Column("status", "STATUS", lambda thing: Cell(thing.status, f"status-{thing.status}"), priority=1),
    Column(
        "cpu",
        "CPU",
        lambda thing: "–" if thing.cpu is None else f"{thing.cpu:.0f}m",
        sort=lambda thing: thing.cpu,
        align="right",
        descending_first=True,
    ),
    Column("note", "NOTE", lambda thing: "a rather long note here", priority=5),
]


class Counting(ResourceTable[Thing]):
    """Counts the cells that it asks to have drawn again."""

    painted: list[Region]

    def refresh(self, *regions: Region, **how: Any) -> Counting:
        self.__dict__.setdefault("painted", []).extend(regions or [Region(0, 0, 999, 999)])
        super().refresh(*regions, **how)
        return self


class TableApp(App[None]):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.table = Counting(COLUMNS, **options)
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()

    def on_resource_table_selection_lost(self, event: ResourceTable.SelectionLost) -> None:
        self.told.append(event)

    def on_resource_table_selected(self, event: ResourceTable.Selected) -> None:
        self.told.append(event)

    def on_resource_table_activated(self, event: ResourceTable.Activated) -> None:
        self.told.append(event)

    def on_resource_table_marks_changed(self, event: ResourceTable.MarksChanged) -> None:
        self.told.append(event)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]


def rows(*things: Thing) -> list[Row[Thing]]:
    return [Row(thing.name, thing) for thing in things]


def many(count: int) -> list[Thing]:
    return [Thing(f"app-{i:04d}", float(i)) for i in range(count)]


async def test_the_cursor_goes_with_its_object_when_the_rows_are_sorted_anew() -> None:
    app = TableApp(sort_column="cpu", sort_descending=True)
    async with app.run_test(size=(80, 24)) as pilot:
        things = many(10)
        app.table.update_rows(rows(*things))
        await pilot.press("j", "j")
        assert app.table.selected_key == "app-0007"
        things[7] = replace(things[7], cpu=-5.0)
        app.table.update_rows(rows(*things))
        assert app.table.selected_key == "app-0007"
        assert app.table.visible_keys.index("app-0007") == 9
        await pilot.press("enter")
        assert [event.key for event in app.of(ResourceTable.Activated)] == ["app-0007"]


async def test_the_cursor_stays_in_view_when_its_object_moves_far() -> None:
    app = TableApp(sort_column="cpu", sort_descending=True)
    async with app.run_test(size=(80, 12)) as pilot:
        things = many(100)
        app.table.update_rows(rows(*things))
        things[99] = replace(things[99], cpu=-1.0)
        app.table.update_rows(rows(*things))
        await pilot.pause()
        assert app.table.selected_key == "app-0099"
        assert any("app-0099" in line for line in lines_of(app.table))


async def test_when_the_selected_object_vanishes_the_nearest_is_selected_and_it_is_told() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        things = many(5)
        app.table.update_rows(rows(*things))
        await pilot.press("j", "j")
        app.table.update_rows(rows(*things[:2], *things[3:]))
        await pilot.pause()
        lost = app.of(ResourceTable.SelectionLost)
        assert [(event.key, event.replacement) for event in lost] == [("app-0002", "app-0003")]
        assert app.table.selected_key == "app-0003"
        app.table.update_rows(rows(*things[:2]))
        assert app.table.selected_key == "app-0001"
        app.table.update_rows([])
        await pilot.pause()
        assert app.table.selected is None
        assert app.of(ResourceTable.SelectionLost)[-1].replacement is None


async def test_a_filter_that_hides_the_selected_object_loses_nothing() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        app.table.update_rows(rows(Thing("api"), Thing("web"), Thing("worker")))
        app.table.filter_text = "W"
        await pilot.pause()
        assert app.table.visible_keys == ("web", "worker")
        assert app.table.selected_key == "web"
        assert app.of(ResourceTable.SelectionLost) == []
        app.table.filter_text = "nothing"
        await pilot.pause()
        assert "3 hidden" in "\n".join(lines_of(app.table))
        app.table.filter_text = ""
        assert len(app.table.visible_keys) == 3


async def test_matches_of_the_filter_are_highlighted() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        app.table.update_rows(rows(Thing("my-api")))
        app.table.filter_text = "API"
        await pilot.pause()
        segments = list(app.table.render_line(1))
        assert [s.text for s in segments if s.style and s.style.underline] == ["api"]


async def test_only_changed_cells_are_drawn_again() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24)) as pilot:
        things = many(15)
        app.table.update_rows(rows(*things))
        await pilot.pause()
        app.table.painted.clear()
        app.table.update_rows(rows(*many(15)))
        assert app.table.painted == []
        things[3] = replace(things[3], cpu=99.0)
        app.table.update_rows(rows(*things))
        assert [(region.y, region.height) for region in app.table.painted] == [(4, 1)]
        assert app.table.painted[0].width <= 5


async def test_a_thousand_rows_draw_only_what_is_in_view() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24)) as pilot:
        things = many(1000)
        app.table.update_rows(rows(*things))
        await pilot.press("G")
        assert app.table.selected_key == "app-0999"
        await pilot.pause()
        app.table.painted.clear()
        app.table.update_rows(rows(*(replace(thing, cpu=(thing.cpu or 0) % 7) for thing in things)))
        assert 0 < len(app.table.painted) <= 24


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["G"], 99),
        (["end"], 99),
        (["G", "g"], 0),
        (["j", "down", "k"], 1),
        (["ctrl+d"], 11),
        (["ctrl+d", "ctrl+d", "ctrl+u"], 11),
        (["pagedown"], 23),
        (["k"], 0),
        (["G", "j"], 99),
    ],
)
async def test_keys_move_the_cursor(keys: list[str], expected: int) -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.table.update_rows(rows(*many(100)))
        await pilot.pause()
        await pilot.press(*keys)
        assert app.table.selected_key == f"app-{expected:04d}"
        await pilot.pause()
        assert any(f"app-{expected:04d}" in line for line in lines_of(app.table))


async def test_the_mouse_selects_activates_and_sorts() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.table.update_rows(rows(*many(10)))
        await pilot.pause()
        await pilot.click(app.table, offset=(5, 4))
        assert app.table.selected_key == "app-0003"
        assert app.of(ResourceTable.Activated) == []
        await pilot.click(app.table, offset=(5, 4), times=2)
        assert [event.key for event in app.of(ResourceTable.Activated)] == ["app-0003"]
        at = lines_of(app.table)[0].index("CPU")
        await pilot.click(app.table, offset=(at, 0))
        assert (app.table.sort_column, app.table.sort_descending) == ("cpu", True)
        assert app.table.visible_keys[0] == "app-0009" and app.table.selected_key == "app-0003"
        await pilot.click(app.table, offset=(at, 0))
        assert app.table.sort_descending is False


async def test_the_wheel_scrolls_without_moving_the_selection() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 12)) as pilot:
        app.table.update_rows(rows(*many(100)))
        await pilot.pause()
        app.table.scroll_to(y=40, animate=False)
        await pilot.pause()
        assert app.table.selected_key == "app-0000"
        assert "app-0040" in lines_of(app.table)[1]
        app.table.update_rows(rows(*many(99)))
        await pilot.pause()
        assert "app-0040" in lines_of(app.table)[1]


async def test_marks_belong_to_objects_and_go_with_them() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        things = many(4)
        app.table.update_rows(rows(*things))
        await pilot.press("space", "space")
        assert app.table.marked_keys == {"app-0000", "app-0001"}
        assert app.table.selected_key == "app-0002"
        app.table.update_rows(rows(*reversed(things)))
        assert [thing.name for thing in app.table.targets] == ["app-0001", "app-0000"]
        app.table.update_rows(rows(*things[1:]))
        await pilot.pause()
        assert app.of(ResourceTable.MarksChanged)[-1].keys == app.table.marked_keys == {"app-0001"}
        app.table.clear_marks()
        assert [thing.name for thing in app.table.targets] == ["app-0002"]


async def test_missing_values_sort_last_both_ways() -> None:
    app = TableApp()
    async with app.run_test():
        app.table.update_rows(rows(Thing("a", None), Thing("b", 2.0), Thing("c", 1.0)))
        app.table.sort_by("cpu")
        assert app.table.visible_keys == ("b", "c", "a")
        app.table.sort_by("cpu")
        assert app.table.visible_keys == ("c", "b", "a")
        with pytest.raises(KeyError):
            app.table.sort_by("nope")


def test_what_a_growing_column_does_not_need_goes_to_the_content_of_others() -> None:
    columns = [
        Column("name", "NAME", str, min_width=24, flex=3, cut="middle"),
        Column("image", "IMAGE", str, min_width=12, max_width=44, flex=2, cut="middle", priority=5),
    ]
    name, image = place_columns(columns, [6, 30], 40)
    assert (name.width, image.width) == (8, 30)
    wide_name, wide_image = place_columns(columns, [6, 30], 80)
    assert wide_name.width > 24 and wide_image.width > 30


async def test_columns_go_by_priority_where_it_is_narrow_and_names_stay_apart() -> None:
    app = TableApp()
    async with app.run_test(size=(120, 10)) as pilot:
        long = "customer-facing-production-web-frontend"
        app.table.update_rows(rows(*(Thing(f"{long}-{i}") for i in range(8))))
        await pilot.pause()
        assert all(title in lines_of(app.table)[0] for title in ("NAME", "STATUS", "CPU", "NOTE"))
        await pilot.resize_terminal(44, 10)
        await pilot.pause()
        header, *body = lines_of(app.table)
        assert "NOTE" not in header and "STATUS" in header
        names = [line.split()[0] for line in body[:8]]
        assert len(set(names)) == 8 and all("…" in name for name in names)


async def test_nothing_to_show_says_what_to_do() -> None:
    app = TableApp(empty_text="No deployments yet.\nPress c to create one.")
    async with app.run_test() as pilot:
        app.table.update_rows([])
        await pilot.pause()
        text = "\n".join(lines_of(app.table))
        assert "No deployments yet." in text and "Press c" in text


async def test_two_rows_with_one_key_are_refused() -> None:
    app = TableApp()
    async with app.run_test():
        with pytest.raises(ValueError, match="the key"):
            app.table.update_rows([Row("a", Thing("x")), Row("a", Thing("y"))])


async def test_rows_may_come_before_the_screen() -> None:
    app = TableApp()
    app.table.update_rows(rows(*many(100)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.table.selected_key == "app-0000"
        assert "app-0000" in lines_of(app.table)[1]
        await pilot.press("G")
        await pilot.pause()
        assert "app-0099" in lines_of(app.table)[-1]


async def test_what_an_object_calls_itself_cannot_break_the_screen() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.table.update_rows(rows(Thing("a\x1b[2Jb", status="line one\nline two\x07")))
        await pilot.pause()
        shown = lines_of(app.table)[1]
        assert "ab" in shown and "line one line two␇" in shown


async def test_numbers_in_names_sort_as_numbers() -> None:
    app = TableApp(sort_column="name")
    async with app.run_test():
        app.table.update_rows(rows(Thing("web-10"), Thing("Web-9"), Thing("api"), Thing("7")))
        assert app.table.visible_keys == ("7", "api", "Web-9", "web-10")


@pytest.mark.parametrize("descending", [False, True])
async def test_rows_that_tie_stand_by_the_first_column(descending: bool) -> None:
    app = TableApp(sort_column="cpu", sort_descending=descending)
    things = [Thing("web-10"), Thing("api"), Thing("web-9"), Thing("no figure b", None), Thing("no figure a", None)]
    async with app.run_test():
        app.table.update_rows([Row(key, thing) for key, thing in zip("abcde", things, strict=True)])
        assert app.table.visible_keys == ("b", "c", "a", "e", "d")
