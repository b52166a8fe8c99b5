"""vttest's pages look as they look in tmux, but for those where tmux is wrong or lacks what is tested."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.widgets.terminal.test_terminal_against_tmux import drawn, looks
from tests.widgets.terminal.tmux_oracle import TmuxOracle
from tests.widgets.terminal.vttest_pages import COLUMNS, ROWS, Page, items, ours, pages, same

_BACKSPACE = "tmux lets a backspace undo only a pending wrap; the letters at the margins are then out of order"
_ORIGIN = "tmux homes the cursor to the screen's corner for DECSTBM in origin mode, and misses the line it was to test"
_LATIN = "bytes that are no UTF-8 are shown as replacement characters; tmux drops them"
_INSERTED = "IL and DL go to the start of the line, as in xterm and ghostty; tmux stays in its column"
_PROTECTED = "tmux has no selective erasing"

DIFFERENCES: dict[str, str] = {
    "1#3": _BACKSPACE,
    "1#4": _BACKSPACE,
    "11.6.6.1#6": _BACKSPACE,
    "11.6.6.1#7": _BACKSPACE,
    "2#11": _ORIGIN,
    "11.6.6.2#14": _ORIGIN,
    "3.8#2": "the underscore is a blank among the line drawings; tmux shows it as it is",
    "3.10#2": _LATIN,
    "11.1.2.4#4": _PROTECTED,
    "11.1.2.4#6": _PROTECTED,
    "11.3.2.7#4": "tmux has no DECBI",
    "11.3.2.8#4": "tmux has no DECFI",
    "11.3.3.9#4": "tmux has no DECIC",
    "11.3.3.9#5": "tmux has no DECDC",
    "11.3.6.7#4": "tmux has no DECCARA",
    "11.3.6.7#5": "tmux has no DECCARA",
    "11.3.6.8#5": "tmux has no DECCRA",
    "11.3.6.8#6": "tmux has no DECCRA",
    "11.3.6.8#7": "tmux has no DECCRA",
    "11.3.6.9#4": "tmux has no DECERA",
    "11.3.6.10#4": "tmux has no DECFRA",
    "11.3.6.11#4": "tmux has no DECRARA",
    "11.3.6.11#5": "tmux has no DECRARA",
    "11.3.6.12#4": "tmux has no DECSERA",
    "11.3.6.12#5": "tmux has no DECSERA",
    "11.3.6.12#6": "tmux has no DECSERA",
    "11.3.6.12#7": "tmux has no DECSERA",
    "11.4.2.10#4": "tmux has no CHT",
    "11.5.4#3": "tmux has no CHT",
    "11.4.2.11#4": "tmux has no HPR",
    "11.5.5#3": "tmux has no HPR",
    "11.5.9#3": "tmux has no VPR",
    "11.6.6.3#4": _INSERTED,
    "11.6.6.3#5": _INSERTED,
    "11.6.7.4#4": "tmux has no SL",
    "11.7.4#3": "tmux has no SL",
    "11.6.7.5#4": "tmux has no SR",
    "11.7.5#3": "tmux has no SR",
}
"""The pages that look otherwise, and why. On all others text, looks and cursor are equal."""

OTHERS = {"pyte": 249, "libvterm": 276, "ghostty": 269}
"""On how many pages pyte 0.8.2, libvterm 0.1.4 and ghostty (pyghostty 0.1.3) show tmux's text and cursor, counted by
`python -m tests.widgets.terminal.vttest_pages`."""


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TmuxOracle]:
    with TmuxOracle(tmp_path_factory.mktemp("oracle")) as tmux:
        yield tmux


def agrees(oracle: TmuxOracle, page: Page) -> bool:
    """Whether text, looks and cursor are those of tmux."""
    picture = oracle.picture(page.output, COLUMNS, ROWS)
    if not same(ours([page.output])[0], (picture.lines, picture.cursor)):
        return False
    theirs = drawn(("\x1b)0" + "\r\n".join(picture.styled)).encode(), COLUMNS + 1, ROWS)
    screen = drawn(page.output, COLUMNS, ROWS)
    return [looks(row) for row in screen.rows] == [looks(row) for row in theirs.rows]


@pytest.mark.parametrize("item", items())
def test_pages(oracle: TmuxOracle, item: str) -> None:
    found = {page.name for page in pages(item) if not agrees(oracle, page)}
    assert found == {name for name in DIFFERENCES if name.partition("#")[0] == item}


def test_no_other_emulator_agrees_on_more_pages() -> None:
    assert sum(len(pages(item)) for item in items()) - len(DIFFERENCES) >= max(OTHERS.values())
