"""Each thing that stock pyte gets wrong."""

from __future__ import annotations

import pytest

from widgets.terminal.emulator import ByteStream, Screen, Stream
from widgets.terminal.emulator.style import BLINK, CONCEAL, DIM, OVERLINE, PROTECTED, RGB, STRIKE


def fed(data: str, columns: int = 10, lines: int = 4, **options: int) -> Screen:
    screen = Screen(columns, lines, **options)
    Stream(screen).feed(data)
    return screen


def text(screen: Screen) -> list[str]:
    return [line.rstrip() for line in screen.display]


def replies(data: str, columns: int = 80, lines: int = 24) -> str:
    screen = Screen(columns, lines)
    said: list[str] = []
    screen.on_reply = said.append
    Stream(screen).feed(data)
    return "".join(said)


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b[?5;7m",
        "\x1b[?6n",
        "\x1b[?996n",
        "\x1b[?5r",
        "\x1b[?5d",
        "\x1b[?5;5H",
        "\x1b[4:0m",
        "\x1b[58:2::1:2:3m",
        "\x1bPq#0;2\x1b\\",
        "\x1b_application\x1b\\",
        "\x1b^private\x1b\\",
        "\x1bXstring\x1b\\",
        "\x1bktitle\x1b\\",
        "\x1b[!p",
        "\x1b[=c",
        "\x1b[<u",
        "\x1b[=1;1u",
        '\x1b[1"q',
        "\x1b[12\x1b[m",
        "\x1b[1;2;3\x18",
        "\x1b[1;2;3\x1a",
        "\x1b]7;file:///x\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x1b]52;c;?\x07",
        "\x1b]133;A\x07",
        "\x1b[>4;2m",
        "\x1b[?2026h\x1b[?2026l",
        "\x1b[22;0;0t",
        "\x1b%G",
        "\x1b[9999999999999999999999m",
        "\x9b5m"[:1],
    ],
)
def test_swallowed_without_a_trace(sequence: str) -> None:
    screen = fed(f"ab{sequence}cd")
    assert text(screen)[0] == "abcd"
    assert all(look.fg < 0 and not look.flags & ~PROTECTED for look in screen.rows[0].styles or [])


@pytest.mark.parametrize("final", "ABCDEFGHIJKLMPSTXZ`abcdefghilmnqrstu@")
def test_more_parameters_than_a_sequence_has(final: str) -> None:
    fed("\x1b[1;2;3;4;5;6;7" + final + "x")


def test_colours_with_colons() -> None:
    styles = fed("\x1b[38:2::1:2:3;48:5:9;4:3mx\x1b[38:2:4:5:6my").rows[0].styles
    assert styles is not None
    assert (styles[0].fg - RGB, styles[0].bg, styles[0].underline) == (0x010203, 9, 3)
    assert styles[1].fg - RGB == 0x040506


def test_underline_colours() -> None:
    styles = fed("\x1b[4:3;58:2::1:2:3ma\x1b[58:5:9mb\x1b[58;2;4;5;6mc\x1b[59md\x1b[4:0me").rows[0].styles
    assert styles is not None
    assert [look.underline_colour for look in styles] == [RGB | 0x010203, 9, RGB | 0x040506, -1, -1]
    assert [look.underline for look in styles] == [3, 3, 3, 3, 0]


def test_leading_zeros_mean_nothing() -> None:
    screen = fed("\x1b[0000000002;00000000003H\x1b[00000000000000000031mx")
    assert text(screen)[1] == "  x" and [look.fg for look in screen.rows[1].styles or []][-1] == 1


def test_strings_of_all_kinds_are_swallowed_over_any_split() -> None:
    for start in ("\x1bP1;2|", "\x1b_G", "\x1b^", "\x1bX", "\x1b]99;", "\x1bk"):
        data = f"a{start}text; \u00e9 and more\x1b\\b"
        for cut in range(len(data)):
            screen = Screen(10, 4)
            stream = Stream(screen)
            stream.feed(data[:cut])
            stream.feed(data[cut:])
            assert text(screen)[0] == "ab"


def test_origin_mode_without_margins() -> None:
    screen = fed("\x1b[?6h\x1b[2;3Hx\x1b[3dy")
    assert text(screen)[:3] == ["", "  x", "   y"]


def test_modify_other_keys_is_no_underline_and_underline_colour_is_neither_blink_nor_strike() -> None:
    look = fed("\x1b[58;5;9m\x1b[>4;2mx").rows[0].styles
    assert look is not None and look[0].underline_colour == 9
    assert not look[0].flags & (BLINK | STRIKE) and not look[0].underline


def test_reports_of_identity_and_state() -> None:
    assert replies("\x1b[c") == "\x1b[?64;6;22;28c"
    assert replies("\x1b[>c") == "\x1b[>1;10;0c"
    assert replies("\x1b[=c").startswith("\x1bP!|")
    assert replies("\x1b[>q").startswith("\x1bP>|")
    assert replies("\x1b[5n\x1b[3;7H\x1b[6n") == "\x1b[0n\x1b[3;7R"
    assert replies("\x1b[3;7H\x1b[?6n") == "\x1b[?3;7;1R"
    assert replies("\x1b[?2004h\x1b[?2004$p\x1b[?7777$p\x1b[4$p") == "\x1b[?2004;1$y\x1b[?7777;0$y\x1b[4;2$y"
    assert replies("\x1b[18t") == "\x1b[8;24;80t"
    assert replies("\x1bP$q q\x1b\\") == "\x1bP1$r0 q\x1b\\"


def test_nothing_that_was_received_is_told_back() -> None:
    assert replies("\x1b]2;rm -rf\x07\x1b[21t\x1b]52;c;?\x07\x1b[20t") == ""


def test_a_pending_wrap_is_reported_as_the_last_column() -> None:
    assert replies("x" * 80 + "\x1b[6n") == "\x1b[1;80R"


def test_the_title_is_set_by_its_own_codes_only() -> None:
    screen = fed("\x1b]2;a\x01\x1b]0;b\x1b\\\x1b]22;pointer\x07")
    assert screen.title == "b"
    assert fed("\x1bkscreen\x1b\\").title == "screen"
    assert len(fed("\x1b]2;" + "x" * 5000 + "\x07").title) <= 512


def test_an_unterminated_string_ends_at_the_next_sequence() -> None:
    assert text(fed("\x1b]2;lost\x1b[1mshown"))[0] == "shown"
    assert text(fed("\x1b]2;lost\x18shown"))[0] == "shown"


def test_clipboard_copies_reach_the_hook_and_questions_do_not() -> None:
    screen = Screen(10, 2)
    copied: list[tuple[str, str]] = []
    screen.on_clipboard = lambda selection, data: copied.append((selection, data))
    Stream(screen).feed("\x1b]52;c;aGk=\x07\x1b]52;c;?\x07\x1b]52;c;!!\x07")
    assert copied == [("c", "hi")]


@pytest.mark.parametrize("mode", [47, 1047, 1049])
def test_the_alternate_screen_has_no_scrollback_and_gives_the_old_one_back(mode: int) -> None:
    screen = fed(f"main\x1b[?{mode}h" + "alt\r\n" * 20)
    assert screen.alternate and not screen.history and "main" not in text(screen)
    Stream(screen).feed(f"\x1b[?{mode}l")
    assert text(screen)[0] == "main" and not screen.alternate


def test_1049_keeps_the_cursor_and_1048_is_a_saved_cursor() -> None:
    screen = fed("ab\x1b[?1049h\x1b[3;5Hx\x1b[?1049lc\x1b[?1048h\x1b[4;4H\x1b[?1048ld")
    assert text(screen)[0] == "abcd"


def test_repeat_scroll_and_tabs() -> None:
    assert text(fed("ab\x1b[3bc"))[0] == "abbbbc"
    assert text(fed("a\r\nb\r\nc\x1b[S"))[:2] == ["b", "c"]
    assert text(fed("a\r\nb\x1b[T"))[:3] == ["", "a", "b"]
    assert text(fed("\x1b[2Ix", 40))[0] == " " * 16 + "x"
    assert text(fed("\x1b[30G\x1b[2Zx", 40))[0] == " " * 16 + "x"


def test_a_huge_repeat_is_bounded() -> None:
    screen = fed("x\x1b[999999999b")
    assert screen.history_total <= screen.lines


def test_saved_cursor_is_one_place_not_a_stack() -> None:
    assert text(fed("\x1b[2;2H\x1b7\x1b[3;3H\x1b7\x1b8a\x1b8b"))[2] == "  b"
    assert text(fed("\x1b[2;2H\x1b[s\x1b[Hx\x1b[uy")) == ["x", " y", "", ""]


def test_cursor_styles() -> None:
    assert fed("\x1b[5 q").cursor_style == 5
    assert fed("\x1b[5 q\x1b[99 q").cursor_style == 5
    assert fed("\x1b[5 q\x1b[ q").cursor_style == 0


def test_dim_conceal_and_overline() -> None:
    styles = fed("\x1b[2;8;53mx\x1b[22;28;55my").rows[0].styles
    assert styles is not None
    assert styles[0].flags == DIM | CONCEAL | OVERLINE and not styles[1].flags


def test_line_drawing() -> None:
    assert text(fed("\x1b(0lqk\x1b(Blqk\x1b)0\x0ex\x0fx"))[0] == "┌─┐lqk│x"


def test_modes_are_kept_and_unknown_ones_are_not() -> None:
    screen = fed("\x1b[?1h\x1b[?1003h\x1b[?1006h\x1b[?2004h" + "".join(f"\x1b[?{n}h" for n in range(3000, 9000)))
    assert screen.mouse_mode == 1003 and {1 << 5, 1006 << 5, 2004 << 5} <= screen.mode
    assert len(screen.mode) < 30
    assert fed("\x1b[32h").mode == fed("").mode


@pytest.mark.parametrize("mode", [9, 1000, 1002, 1003])
def test_mouse_modes_replace_each_other(mode: int) -> None:
    assert fed(f"\x1b[?1000h\x1b[?1003h\x1b[?{mode}h").mouse_mode == mode
    assert fed(f"\x1b[?{mode}h\x1b[?{mode}l").mouse_mode == 0


@pytest.mark.parametrize("mode", [1, 5, 7, 25, 66, 69, 1004, 1006, 1007, 2004, 2026])
def test_modes_are_set_told_and_reset(mode: int) -> None:
    assert replies(f"\x1b[?{mode}h\x1b[?{mode}$p\x1b[?{mode}l\x1b[?{mode}$p") == f"\x1b[?{mode};1$y\x1b[?{mode};2$y"


def test_modes_are_saved_and_restored() -> None:
    screen = fed("\x1b[?2004h\x1b[?1002h\x1b[?2004;1002;1s\x1b[?2004;1002l\x1b[?1h\x1b[?2004;1002;1r")
    assert screen.mouse_mode == 1002 and 2004 << 5 in screen.mode and 1 << 5 not in screen.mode


def test_132_columns_clear_the_screen_and_leave_the_size_to_its_owner() -> None:
    screen = fed("text\x1b[2;3r\x1b[?3h")
    assert text(screen)[0] == "" and screen.columns == 10 and screen.margins is None


def test_alignment_fills_the_screen() -> None:
    screen = fed("\x1b[2;3r\x1b#8")
    assert text(screen) == ["E" * 10] * 4 and screen.margins is None and (screen.cursor.x, screen.cursor.y) == (0, 0)


def test_soft_reset_keeps_the_text() -> None:
    screen = fed("text\x1b[2;3r\x1b[?6h\x1b[31m\x1b[?25l\x1b[!p")
    assert text(screen)[0] == "text" and screen.margins is None and not screen.cursor.hidden
    assert screen.pen.fg < 0


def test_joiners_do_not_drop_the_rest() -> None:
    screen = fed("👩\u200d👧ab")
    assert text(screen)[0] == "👩\u200d👧ab" and screen.cursor.x == 4
    assert fed("🇩🇪🇫🇷x").cursor.x == 5


def test_a_wide_character_at_the_last_column_wraps_whole() -> None:
    assert text(fed("x" * 9 + "漢"))[:2] == ["x" * 9, "漢"]


def test_half_of_a_wide_character_becomes_blank() -> None:
    assert text(fed("漢字\r\x1b[Cx"))[0] == " x字"
    assert text(fed("漢字\rx"))[0] == "x 字"
    assert text(fed("漢字\x1b[2G\x1b[P"))[0] == " 字"


def test_marks_join_and_are_bounded() -> None:
    screen = fed("e" + "\u0301" * 5000 + "x")
    assert len(text(screen)[0]) < 30 and text(screen)[0].endswith("x")


def test_marks_that_turn_text_around_are_dropped() -> None:
    assert text(fed("a\u202eb\u2066c"))[0] == "abc"


def test_a_pending_wrap_ends_with_moves_and_erasing() -> None:
    assert text(fed("\n" + "x" * 10 + "\x1b[Ay"))[:2] == [" " * 9 + "y", "x" * 10]
    assert text(fed("x" * 10 + "\x1b[Ky"))[:2] == ["x" * 9 + "y", ""]
    assert text(fed("x" * 10 + "\by"))[:2] == ["x" * 8 + "yx", ""]


def test_a_pending_wrap_outlasts_tabs() -> None:
    for tab in ("\t", "\x1b[I"):
        assert text(fed("x" * 10 + tab + "y"))[:2] == ["x" * 10, "y"]
        assert text(fed("\x1b[?69h\x1b[3;6s\x1b[1;3Habcd" + tab + "y"))[:2] == ["  abcd", "  y"]


def test_what_was_repeated_is_not_repeated_once_more() -> None:
    assert text(fed("a\x1b[2b\x1b[3bx"))[0] == "aaax"


def test_moves_outside_the_region_reach_the_edge_of_the_screen() -> None:
    assert fed("\x1b[2;3r\x1b[4H\x1b[9B").cursor.y == 3
    assert fed("\x1b[2;3r\x1b[1H\x1b[9A").cursor.y == 0
    assert fed("\x1b[2;3r\x1b[4H\x1b[9A").cursor.y == 1


def test_resetting_the_region_homes_the_cursor() -> None:
    screen = fed("\x1b[3;3H\x1b[r")
    assert (screen.cursor.x, screen.cursor.y) == (0, 0)


def test_erasing_the_scrollback_leaves_the_screen() -> None:
    screen = fed("a\r\nb\r\nc\r\nd\r\ne\x1b[3J")
    assert not screen.history and text(screen) == ["b", "c", "d", "e"]


def test_erased_cells_take_the_background() -> None:
    screen = fed("\x1b[44m\x1b[2Kx\x1b[2;1H\x1b[3X\x1b[3;1H\x1b[2@\x1b[m")
    assert [style.bg for style in screen.rows[0].styles or []] == [4] * 10
    assert [style.bg for style in screen.rows[1].styles or []] == [4] * 3
    scrolled = fed("\x1b[42m" + "\n" * 5)
    assert [style.bg for style in scrolled.rows[-1].styles or []] == [2] * 10


def test_scrollback_grows_only_from_the_top_and_is_bounded() -> None:
    assert not fed("\x1b[2;4r\x1b[4H" + "x\r\n" * 9).history
    screen = fed("".join(f"{n}\r\n" for n in range(500)), scrollback=50)
    assert len(screen.history) == 50 and screen.history_total == 497
    oldest = screen.line(screen.history_first)
    assert oldest is not None and oldest.text == "447" and screen.line(screen.history_first - 1) is None


def test_floods_in_bulk_are_as_line_by_line() -> None:
    flood = "".join(f"line {n} {'x' * (n % 12)}\r\n" for n in range(300))
    for prefix in ("", "\x1b[31m", "\x1b[41m", "\x1b[2;3r", "\x1b(0", "\x1b[4h", "\x1b[?7l", "\x1b[?1049h", "ab"):
        whole, single = Screen(12, 5, 40), Screen(12, 5, 40)
        Stream(whole).feed(prefix + flood)
        slow = Stream(single)
        for char in prefix + flood:
            slow.feed(char)
        assert whole.display == single.display
        assert whole.history_total == single.history_total and len(whole.history) == len(single.history)
        assert [list(row.runs()) for row in whole.rows] == [list(row.runs()) for row in single.rows]


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    screen = Screen(10, 2)
    ByteStream(screen).feed(b"a\xff\xfeb")
    assert text(screen)[0] == "a\ufffd\ufffdb"


def test_pytes_names_still_answer() -> None:
    screen = fed("\x1b[1;31mab")
    assert screen.display[0].startswith("ab") and screen.dirty
    assert screen.buffer[0][0].data == "a" and screen.buffer[0][0].fg == "red" and screen.buffer[0][0].bold
