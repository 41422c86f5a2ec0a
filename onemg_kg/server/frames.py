"""What the server and its workers say to each other: frames of a kind, a length and content over a socket."""

import socket
import struct

READY, HEAD, DATA, END, PROBLEM, QUERY = b"R", b"H", b"D", b"E", b"P", b"Q"
"""The kinds: the number of a worker's process; what an answer is, a piece of it, its end; why there is none; what is asked."""

SPAWN, SPEAK, KILL, CALM = "spawn", "speak", "kill", "calm"
"""What the server tells the process that forks: a new worker, a new process that speaks HTTP, the end of one, and that one
give way to others."""
BEGUN = b"ready\n"
"""What that tells the server when it can fork."""

_PREFIX = struct.Struct(">cI")
PREFIX = _PREFIX.size
_USUAL = 64 * 1024


def frame(kind: bytes, content: bytes | bytearray = b"") -> bytes:
    """One frame."""
    return _PREFIX.pack(kind, len(content)) + content


def prefix(held: bytes | bytearray, at: int = 0) -> tuple[bytes, int]:
    """The kind and length of the frame that starts at a place."""
    kind, length = _PREFIX.unpack_from(held, at)
    return kind, length


def receive(connection: socket.socket) -> bytes | None:
    """The content of the next frame, after which nothing is sent until it is answered; nothing where the other side is gone."""
    held = connection.recv(_USUAL)
    while held and (len(held) < PREFIX or len(held) < PREFIX + prefix(held)[1]):
        piece = connection.recv(_USUAL)
        if not piece:
            return None
        held += piece
    return held[PREFIX:] or None
