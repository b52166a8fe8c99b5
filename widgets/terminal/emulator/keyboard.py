"""How a program wants keys told: the kitty keyboard protocol, and xterm's modifyOtherKeys."""

from __future__ import annotations

from typing import Final

from widgets.terminal.emulator.host import HostStrings

DISAMBIGUATE: Final = 1
EVENT_TYPES: Final = 2
ALTERNATE_KEYS: Final = 4
ALL_AS_ESCAPES: Final = 8
ASSOCIATED_TEXT: Final = 16

_ALL = 31
_DEEPEST = 32


class Keyboard(HostStrings):
    """The flags of the kitty protocol are a stack, one for each of the two screens."""

    def reset(self) -> None:
        """RIS."""
        super().reset()
        self._flags: dict[bool, list[int]] = {False: [0], True: [0]}
        self.modify_other_keys = 0

    @property
    def keyboard_flags(self) -> int:
        """The flags in force, a sum of `DISAMBIGUATE` and its like; 0 for keys as xterm encodes them."""
        return self._flags[self.alternate][-1]

    def keyboard_stack(self, alternate: bool) -> tuple[int, ...]:
        """The flags of a screen, those in force last; at least one."""
        return tuple(self._flags[alternate])

    def push_keyboard_flags(self, flags: int = 0, *_: int) -> None:
        """CSI > flags u. Of too many, the oldest are forgotten."""
        stack = self._flags[self.alternate]
        stack.append(flags & _ALL)
        del stack[:-_DEEPEST]

    def pop_keyboard_flags(self, count: int = 1, *_: int) -> None:
        """CSI < count u. Where none is left, no flag is set."""
        stack = self._flags[self.alternate]
        del stack[max(0, len(stack) - (count or 1)) :]
        if not stack:
            stack.append(0)

    def set_keyboard_flags(self, flags: int = 0, how: int = 1, *_: int) -> None:
        """CSI = flags ; how u: 1 these and no others, 2 these too, 3 all but these."""
        stack, flags = self._flags[self.alternate], flags & _ALL
        if how in (0, 1):
            stack[-1] = flags
        elif how == 2:
            stack[-1] |= flags
        elif how == 3:
            stack[-1] &= ~flags

    def report_keyboard_flags(self, *_: int) -> None:
        """CSI ? u."""
        self.write_process_input(f"\x1b[?{self.keyboard_flags}u")

    def set_key_modifiers(self, resource: int = -1, value: int = 0, *_: int) -> None:
        """XTMODKEYS, CSI > 4 ; value m: only modifyOtherKeys; without parameters all of them are as at the start."""
        if resource in (-1, 0, 4):
            self.modify_other_keys = value if resource == 4 and value <= 2 else 0

    def disable_key_modifiers(self, resource: int = 0, *_: int) -> None:
        """CSI > 4 n."""
        if resource == 4:
            self.modify_other_keys = 0

    def report_key_modifiers(self, resource: int = 0, *_: int) -> None:
        """XTQMODKEYS, CSI ? 4 m."""
        if resource == 4:
            self.write_process_input(f"\x1b[>4;{self.modify_other_keys}m")
