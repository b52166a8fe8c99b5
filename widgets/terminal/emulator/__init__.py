"""A terminal emulator without a user interface: bytes in, rows out. Built on pyte's events and names."""

from widgets.terminal.emulator.repaint import repaint
from widgets.terminal.emulator.row import STUB, Row
from widgets.terminal.emulator.screen import Screen
from widgets.terminal.emulator.stream import ByteStream, Stream
from widgets.terminal.emulator.style import DEFAULT, RGB, Style

__all__ = ["DEFAULT", "RGB", "STUB", "ByteStream", "Row", "Screen", "Stream", "Style", "repaint"]
