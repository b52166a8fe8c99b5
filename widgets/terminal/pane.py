"""One place of a workspace: its title line, what is said about it, and whether it is marked."""

from __future__ import annotations

from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static


class PaneTitle(Static):
    """The line above a pane; it can be dragged where another pane is above it."""

    class Dragged(Message):
        """The border above is to be at that line of the screen."""

        def __init__(self, title: PaneTitle, screen_y: int) -> None:
            super().__init__()
            self.title = title
            self.screen_y = screen_y

    class ClickedTwice(Message):
        """The pane wants all the room."""

    def __init__(self) -> None:
        super().__init__(markup=False, classes="pane--title")
        self._held = False

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._held = event.button == 1
        if self._held:
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._held:
            self.post_message(self.Dragged(self, event.screen_y))

    def on_mouse_up(self) -> None:
        self._held = False
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2:
            self.post_message(self.ClickedTwice())


class Pane(Vertical):
    """A place of a workspace. What it shows is for a subclass to say."""

    DEFAULT_CSS = """
    Pane {
        width: 1fr;
        height: 1fr;
        layers: default note;
        & > .pane--title { height: 1; width: 1fr; padding: 0 1; background: $surface; color: $foreground-muted;
            text-wrap: nowrap; text-overflow: ellipsis; }
        &.-active > .pane--title { background: $primary-muted; color: $foreground; text-style: bold; }
        &.-marked > .pane--title { background: $warning; color: $background; text-style: none; }
        &.-marked.-active > .pane--title { text-style: bold underline; }
        & > .pane--note { layer: note; dock: bottom; height: auto; max-height: 3; width: 1fr; padding: 0 1;
            background: $surface-lighten-1; color: $foreground; display: none; }
        & > .pane--note.-filled { display: block; }
    }
    """

    class Changed(Message):
        """Its title, its note or its state has changed."""

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    class Rang(Changed):
        """Its program rang the bell."""

    def __init__(self, name: str, title: str, key: str) -> None:
        super().__init__(id=name)
        self.key = key
        self.plain_title = title
        self.own_title = ""
        self.marked = False
        self.lively = False
        self.bell = False
        self.titled = False
        self.title_bar = PaneTitle()
        self._note = Static("", markup=False, classes="pane--note")

    # What a subclass says

    @property
    def target(self) -> Widget:
        """What gets the focus."""
        raise NotImplementedError

    @property
    def running(self) -> bool:
        """Whether closing it ends something."""
        return False

    @property
    def goes_on(self) -> bool:
        """Whether what runs in it goes on when it is closed."""
        return False

    @property
    def recording(self) -> bool:
        return False

    @property
    def ended(self) -> bool:
        """Whether it shows something that is over."""
        return False

    # For the workspace

    @property
    def name_in_tree(self) -> str:
        """What trees of splits know it by."""
        assert self.id is not None
        return self.id

    @property
    def title(self) -> str:
        """What it is called: as the program says, else as it was opened."""
        return self.own_title or self.plain_title

    def show_title(self, titled: bool) -> None:
        """Whether it needs a title line: where it is one of several, or marked."""
        self.titled = titled
        self.title_bar.display = titled or self.marked
        if self.title_bar.display:
            words = f"⇶ typed into with all marked ones · {self.title}" if self.marked else self.title
            self.title_bar.update(Content(f"{'● ' if self.recording else ''}{words}"))

    def mark(self, marked: bool) -> None:
        """Whether it gets what is typed into other marked ones."""
        self.marked = marked
        self.set_class(marked, "-marked")
        self.show_title(self.titled)

    def show_active(self, active: bool) -> None:
        """Whether it is the one that gets the keys, also while they go to a menu for a moment."""
        self.set_class(active, "-active")

    def seen(self) -> None:
        """The user has it in view."""
        self.lively = self.bell = False

    def say(self, text: str) -> None:
        """A line over the last row; "" takes it away."""
        self._note.update(Content(text))
        self._note.set_class(bool(text), "-filled")

    def tell_change(self) -> None:
        """Let the workspace look again."""
        self.post_message(self.Changed(self))
