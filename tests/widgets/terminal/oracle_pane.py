"""Runs in a tmux pane: prints what comes over a socket, and says when the terminal has taken it all in.

Usage: oracle_pane.py SOCKET. A request is its length (4 bytes, big endian), how many answers of DSR it will bring about
by itself (2 bytes), and the bytes; the answer is one byte.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import tty

_QUESTION, _ANSWER = b"\x18\x1b[5n", b"\x1b[0n"
_RESET = b"\x18\x1b[?1049l\x1bc"


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            sys.exit()
        data += piece
    return data


def main() -> None:
    tty.setraw(0)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    while True:
        size, answers = struct.unpack(">IH", _exactly(connection, 6))
        data = memoryview(_RESET + _exactly(connection, size) + _QUESTION)
        while data:
            data = data[os.write(1, data) :]
        heard = b""
        while heard.count(_ANSWER) <= answers:
            heard += os.read(0, 65536)
        connection.sendall(b"!")


if __name__ == "__main__":
    main()
