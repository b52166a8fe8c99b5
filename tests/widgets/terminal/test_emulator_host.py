"""What programs tell in strings: links, prompts, folders, the clipboard, colours."""

from __future__ import annotations

import pytest

from tests.widgets.terminal.test_emulator_faults import fed, replies, text
from widgets.terminal.emulator import Screen, Stream
from widgets.terminal.emulator.links import MAX_LINKS
from widgets.terminal.emulator.marks import command_at, commands, next_prompt, output_span, previous_prompt

SESSION = "".join(
    [
        "\x1b]133;A\x07$ \x1b]133;B\x07seq 3\r\n\x1b]133;C\x071\r\n2\r\n3\r\n\x1b]133;D;0\x07",
        "\x1b]133;A\x07$ \x1b]133;B\x07false\r\n\x1b]133;C\x07\x1b]133;D;1\x07",
        "\x1b]133;A\x07$ \x1b]133;B\x07printf x\r\n\x1b]133;C\x07x\x1b]133;D;0\x07\r\n",
        "\x1b]133;A;k=s\x07> \x1b]133;A\x07$ \x1b]133;B\x07sleep\r\n\x1b]133;C\x07now",
    ]
)


def test_links_belong_to_the_cells_drawn_in_them() -> None:
    screen = fed("a\x1b]8;;http://x/\x1b\\b\x1b[1mc\x1b[0md\x1b]8;;\x1b\\e")
    links = [screen.link_at(0, column) for column in range(7)]
    assert [link and link.address for link in links] == [None, *["http://x/"] * 3, None, None, None]
    assert links[1] is links[3] and text(screen)[0] == "abcde"
    assert screen.link_at(99, 0) is None and screen.link_at(0, -1) is None


def test_links_of_one_id_are_one_and_without_an_id_each_is_its_own() -> None:
    screen = fed(
        "\x1b]8;id=1;http://x\x1b\\a\x1b]8;;\x1b\\\r\n\x1b]8;foo=2:id=1;http://x\x1b\\b\x1b]8;;http://x\x1b\\c"
        "\x1b]8;;http://x\x1b\\d\x1b]8;id=1;http://y\x1b\\e"
    )
    first, same, third, fourth, fifth = (screen.link_at(*cell) for cell in ((0, 0), (1, 0), (1, 1), (1, 2), (1, 3)))
    assert first == same and len({first, third, fourth, fifth}) == 4


def test_links_go_on_over_wraps_into_the_scrollback_and_through_a_new_size() -> None:
    screen = fed("\x1b]8;;http://x\x1b\\abcdefghijklmno\x1b]8;;\x1b\\" + "\r\nz" * 9, 10, 4)
    for columns in (10, 7, 20):
        screen.resize(4, columns)
        row = screen.line(screen.history_first)
        assert row is not None and row.text.startswith("abcdefg")
        assert screen.link_at(screen.history_first, 6) is not None


def test_erasing_leaves_no_link_behind_and_bad_addresses_make_none() -> None:
    screen = fed("\x1b]8;;http://x\x1b\\\x1b[44m\x1b[K")
    assert screen.link_at(0, 3) is None and screen.rows[0].styles is not None
    for address in ("x" * 5000, "a\x01b", "a\u202eb"):
        assert fed(f"\x1b]8;;{address}\x1b\\a").link_at(0, 0) is None


def test_links_are_bounded() -> None:
    screen = Screen(10, 2, 5)
    stream = Stream(screen)
    for number in range(MAX_LINKS + 50):
        stream.feed(f"\x1b]8;;http://{number}\x1b\\\rx")
    assert len(screen._links._held) <= MAX_LINKS and screen.link_at(screen.history_total, 0) is not None


def test_prompts_are_found_with_their_outputs_and_exit_statuses() -> None:
    screen = fed(SESSION, 20, 30)
    found = commands(screen)
    assert [command.prompt for command in found] == [(0, 0), (4, 0), (5, 0), (7, 2)]
    assert [command.exit_status for command in found] == [0, 1, 0, None]
    assert [command.input for command in found] == [(0, 2), (4, 2), (5, 2), (7, 4)]
    assert output_span(screen, 2) == ((1, 0), (4, 0)) == output_span(screen, 0)
    assert output_span(screen, 4) is None
    assert output_span(screen, 6) == ((6, 0), (6, 1))
    assert output_span(screen, 8) == ((8, 0), (8, 3))
    assert command_at(screen, 3) == found[0] and output_span(fed("x"), 0) is None


def test_prompts_are_kept_in_the_scrollback_and_through_a_new_size() -> None:
    screen = fed(SESSION, 20, 3)
    lines = [command.prompt[0] for command in commands(screen)]
    assert lines == [0, 4, 5, 7] and next_prompt(screen, 0) == 4 and previous_prompt(screen, 7) == 5
    assert previous_prompt(screen, 0) is None and next_prompt(screen, 7) is None
    screen.resize(3, 4)
    found = commands(screen)
    assert [command.exit_status for command in found] == [0, 1, 0, None]
    starts = [screen.line(command.prompt[0]) for command in found]
    assert [row and row.text[:1] for row in starts] == ["$", "$", "$", ">"]
    screen.resize(30, 40)
    assert [command.prompt[0] for command in commands(screen)] == [0, 4, 5, 7]


def test_a_shell_that_does_not_say_finished_ends_at_its_next_prompt() -> None:
    screen = fed("\x1b]133;A\x07$ a\r\n\x1b]133;C\x07one\r\n\x1b]133;A\x07$ ", 20, 9)
    assert output_span(screen, 0) == ((1, 0), (2, 0)) and command_at(screen, 0) is not None


def test_marks_that_are_none_and_many_marks_do_no_harm() -> None:
    screen = fed("\x1b]133;Z\x07\x1b]133;\x07\x1b]133;D;x\x07" + "\x1b]133;A\x07" * 500 + "\x1b]133;D;99999999999\x07")
    assert len(screen.rows[0].marks) == 2


def test_folders() -> None:
    screen = Screen(10, 2)
    told: list[str] = []
    screen.on_directory = told.append
    stream = Stream(screen)
    for address in ("file://host/tmp/a%20b", "http://x/y", "file://[bad/x", "file:///a%0ab", "file://h/%ff"):
        stream.feed(f"\x1b]7;{address}\x07")
    assert (screen.directory, screen.directory_host, told) == ("/tmp/a b", "host", ["/tmp/a b"])


def test_the_clipboard_is_told_only_by_who_may() -> None:
    assert replies("\x1b]52;c;?\x07") == ""
    screen = Screen(10, 2)
    said: list[str] = []
    screen.on_reply = said.append
    screen.read_clipboard = {"c": "hi"}.get
    Stream(screen).feed("\x1b]52;c;?\x07\x1b]52;p;?\x07")
    assert said == ["\x1b]52;c;aGk=\x1b\\"]


def test_progress_and_notifications() -> None:
    screen = Screen(10, 2)
    told: list[object] = []
    screen.on_progress = lambda state, percent: told.append((state, percent))
    screen.on_notification = lambda title, body: told.append((title, body))
    Stream(screen).feed(
        "\x1b]9;4;1;40\x07\x1b]9;done\x07\x1b]777;notify;Build;it\x01 works\x07\x1b]9;4;0\x07\x1b]9;4;9;x\x07"
    )
    assert told == [(1, 40), ("", "done"), ("Build", "it works"), (0, 0), (0, 0)]
    assert screen.progress is None


def test_colours_are_told_set_and_reset() -> None:
    screen = Screen(10, 2)
    said: list[str] = []
    screen.on_reply = said.append
    screen.colours = (0x111213, 0x212223)
    stream = Stream(screen)
    stream.feed("\x1b]10;?\x07\x1b]11;?\x1b\\\x1b]12;?\x07\x1b]4;196;?\x07")
    assert said == [
        "\x1b]10;rgb:1111/1212/1313\x1b\\",
        "\x1b]11;rgb:2121/2222/2323\x1b\\",
        "\x1b]12;rgb:1111/1212/1313\x1b\\",
        "\x1b]4;196;rgb:ffff/0000/0000\x1b\\",
    ]
    said.clear()
    before = screen.palette_version
    stream.feed("\x1b]4;1;#123456;2;rgb:f/8/0\x07\x1b]10;#abc;rgb:ffff/0000/8080\x07\x1b]12;#1234567890ab\x07")
    assert screen.palette == {1: 0x123456, 2: 0xFF8800, 266: 0xA0B0C0, 267: 0xFF0080, 268: 0x125690}
    assert screen.palette_version > before and len(screen.dirty) == 2
    stream.feed("\x1b]4;1;?;2;?\x07\x1b]10;?;?;?\x07")
    assert len(said) == 5 and said[0] == "\x1b]4;1;rgb:1212/3434/5656\x1b\\"
    stream.feed("\x1b]104;1\x07\x1b]111\x07")
    assert sorted(screen.palette) == [2, 266, 268]
    stream.feed("\x1b]104\x07\x1b]110\x07\x1b]112\x07")
    assert screen.palette == {}


@pytest.mark.parametrize("wrong", ["4;256;#fff", "4;x;#fff", "4;1;red", "4;1", "10;#ffff", "11;rgb:1/2", "4;-1;#fff"])
def test_colours_that_are_none_change_nothing(wrong: str) -> None:
    assert fed(f"\x1b]{wrong}\x07").palette == {}


def test_titles_are_kept_and_given_back_but_never_told() -> None:
    screen = fed("\x1b]0;one\x07\x1b[22;0t\x1b]2;two\x07\x1b[22;2t\x1b]2;three\x07")
    assert (screen.title, screen.icon_name) == ("three", "one")
    Stream(screen).feed("\x1b[23;2t")
    assert screen.title == "two"
    Stream(screen).feed("\x1b[23;0t\x1b[23;0t")
    assert screen.title == "one" and replies("\x1b]2;x\x07\x1b[20t\x1b[21t") == ""
    many = fed("\x1b[22t" * 500)
    assert len(many._titles) <= 512
