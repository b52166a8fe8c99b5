"""Commands of a shell that marks its prompts (OSC 133), and what else programs tell the app."""

from __future__ import annotations

import pytest

from tests.widgets.terminal.terminal_app import TerminalApp, script, shell, shown, type_text, until
from widgets.terminal import Terminal


def prompted(command: str, output: str, status: int = 0) -> str:
    return f"\x1b]133;A\x07$ \x1b]133;B\x07{command}\r\n\x1b]133;C\x07{output}\x1b]133;D;{status}\x07"


SESSION = (
    prompted("seq 100", "".join(f"{number}\r\n" for number in range(1, 101)))
    + prompted("true", "")
    + prompted("cat note", "one\r\ntwo \r\n", 1)
    + prompted("seq 50", "".join(f"n{number}\r\n" for number in range(1, 51)))
    + "\x1b]133;A\x07$ "
)


async def test_keys_go_from_command_to_command() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.terminal.source is not None)
        app.feed(SESSION)
        tops = []
        for key in ("up", "up", "up", "down", "up", "up"):
            await pilot.press(f"ctrl+shift+{key}")
            tops.append(shown(app).splitlines()[0].split("  ")[0])
        assert tops == ["$ seq 50", "$ cat note", "$ true", "$ cat note", "$ true", "$ seq 100"]
        await pilot.press("ctrl+shift+up")
        assert shown(app).startswith("$ seq 100")


async def test_the_output_of_a_command_is_selected_and_copied() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.terminal.source is not None)
        app.feed(SESSION)
        await pilot.press("ctrl+shift+y")
        await until(pilot, lambda: app.clipboard.startswith("n1\nn2") and app.clipboard.endswith("n50"))
        await pilot.press("ctrl+shift+space", "left_square_bracket", "left_square_bracket")
        assert app.terminal.own_cursor is not None and app.terminal.own_cursor[0] == 102
        await pilot.press("O", "y")
        await until(pilot, lambda: app.clipboard == "one\ntwo")


async def test_a_real_shell_marks_its_prompts() -> None:
    app = TerminalApp(shell("/bin/bash", "--norc", "--noprofile"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "$" in shown(app))
        app.terminal.send_text(
            r"""PS0='\e]133;C\a' PROMPT_COMMAND='printf "\e]133;D;%s\a\e]7;file://box%s\a" $? "$PWD"' """
            "PS1='\\[\\e]133;A\\a\\]> \\[\\e]133;B\\a\\]'; clear\r"
        )
        await until(pilot, lambda: shown(app).startswith("> "))
        await type_text(pilot, "cd /usr\n")
        await until(pilot, lambda: any(told.path == "/usr" for told in app.of(Terminal.DirectoryChanged)))
        assert app.of(Terminal.DirectoryChanged)[-1].host == "box"
        await type_text(pilot, "seq 3\n")
        await until(pilot, lambda: "\n3 " in shown(app) and shown(app).count("> ") == 3)
        app.terminal.action_copy_output()
        assert app.clipboard == "1\n2\n3"


async def test_what_programs_tell() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.terminal.source is not None)
        app.feed(
            "\x1b]52;c;aGVsbG8=\x07\x1b]777;notify;Build;done\x07\x1b]9;4;1;40\x07\x1b]2;one\x07\x1b]2;two\x07\x07\x07"
        )
        await until(pilot, lambda: app.of(Terminal.ProgressChanged))
        assert [(told.text, told.selection) for told in app.of(Terminal.CopyRequested)] == [("hello", "c")]
        assert [(told.title, told.text) for told in app.of(Terminal.Notified)] == [("Build", "done")]
        assert [told.percent for told in app.of(Terminal.ProgressChanged)] == [40]
        assert [told.title for told in app.of(Terminal.TitleChanged)] == ["two"], "a flood of titles is one"
        assert len(app.of(Terminal.BellRang)) == 1
        assert app.clipboard == "", "the app copies, or does not"


class OpenTerminal(Terminal):
    allow_paste_query = True


@pytest.mark.parametrize(("kind", "answer"), [(Terminal, "E[0n"), (OpenTerminal, "E]52;c;c2VjcmV0")])
async def test_the_clipboard_is_told_only_where_allowed(kind: type[Terminal], answer: str) -> None:
    app = TerminalApp()
    asks = "stty raw -echo; printf '\\033]52;c;?\\007\\033[5n'; head -c 4 | tr '\\033' E; cat"
    app.terminal = kind(script(asks))
    async with app.run_test(size=(80, 24)) as pilot:
        app.copy_to_clipboard("secret")
        await until(pilot, lambda: shown(app).startswith(answer))
