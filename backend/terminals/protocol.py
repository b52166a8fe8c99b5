"""Frames between the backend and the terminal holder, without any input or output.

A frame is a length (4 bytes, big endian), a kind (1 byte) and a payload: bytes of a terminal, or a JSON object. A
connection begins with one JSON request, `{"op", "protocol", ...}`, which is answered by one JSON object:
`{"type": "error", "kind", "message"}` or one that `type` names. Only `attach` goes on after that: bytes both ways,
`{"op": "resize", "columns", "rows"}` from the viewer, `{"type": "size", ...}` and at last `{"type": "ended", ...}` from
the holder.

The session's own screen answers what programs ask of a terminal (device attributes, the cursor's place): at once, and
once, however many look on or none. Such questions are left out of what viewers get, so that theirs answer nothing
twice. What only a viewer can know (its colours, its clipboard) is asked of the one that was active last.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

PROTOCOL = 1
"""Raised where an older side would misunderstand; fields may be added without."""

DATA = 0
JSON = 1
MAX_DATA = 64 * 1024
"""Bytes of a terminal in one frame; longer ones are cut into several."""

MAX_PAYLOAD = 256 * 1024
"""A JSON frame may be as long: TLS material is in it."""

_HEADER = struct.Struct("!IB")


class ProtocolFault(Exception):
    """The other side does not keep to the protocol."""


def data_frame(data: bytes) -> bytes:
    """One frame, or several for more than `MAX_DATA` bytes."""
    if len(data) <= MAX_DATA:
        return _HEADER.pack(len(data), DATA) + data
    parts = (data[at : at + MAX_DATA] for at in range(0, len(data), MAX_DATA))
    return b"".join(_HEADER.pack(len(part), DATA) + part for part in parts)


def json_frame(message: Mapping[str, Any]) -> bytes:
    """Raises ProtocolFault where it is too long."""
    payload = json.dumps(message, separators=(",", ":")).encode()
    if len(payload) > MAX_PAYLOAD:
        raise ProtocolFault(f"a message of {len(payload)} bytes")
    return _HEADER.pack(len(payload), JSON) + payload


def read_json(payload: bytes) -> dict[str, Any]:
    """The object in a JSON frame. Raises ProtocolFault."""
    try:
        found = json.loads(payload)
    except ValueError as error:
        raise ProtocolFault("a message that is no JSON") from error
    if not isinstance(found, dict):
        raise ProtocolFault("a message that is no object")
    return found


class FrameDecoder:
    """Bytes as they come, in any pieces; frames as they become whole."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames that are whole now, as (kind, payload). Raises ProtocolFault."""
        if self._rest:
            data = self._rest + data
        frames: list[tuple[int, bytes]] = []
        at, end = 0, len(data)
        while end - at >= _HEADER.size:
            length, kind = _HEADER.unpack_from(data, at)
            if length > MAX_PAYLOAD or kind > JSON:
                raise ProtocolFault(f"a frame of kind {kind} and {length} bytes")
            begin = at + _HEADER.size
            if end - begin < length:
                break
            at = begin + length
            frames.append((kind, data[begin:at]))
        self._rest = data[at:]
        return frames
