"""Long answers, packed to be kept: a table says the same again and again, and packed it takes a twentieth of the room."""

import asyncio
import functools
import hashlib
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

digest = functools.partial(hashlib.blake2b, digest_size=16)
"""What tells one answer from all others."""
_LEVEL = 1
"""Higher levels take twice the time, and save a tenth of the room."""


@dataclass(frozen=True)
class Packed:
    """A whole answer.

    Attributes:
        blocks: its pieces, each packed on its own (RFC 1950).
        length: how many bytes it has.
        digest: a digest of it, in hexadecimal.
    """

    blocks: Sequence[bytes]
    length: int
    digest: str

    @property
    def size(self) -> int:
        """How many bytes the blocks have."""
        return sum(map(len, self.blocks))

    async def pieces(self) -> AsyncIterator[bytes]:
        """The answer as it was. Other requests go on while a piece is unpacked."""
        for block in self.blocks:
            yield await asyncio.to_thread(zlib.decompress, block)


async def packing(pieces: AsyncIterator[bytes], most: int, keep: Callable[[Packed], object]) -> AsyncIterator[bytes]:
    """Passes an answer on as it comes, and packs it meanwhile.

    Args:
        pieces: the answer.
        most: how many bytes it may have when packed.
        keep: takes the whole answer, if it came to its end and is small enough.
    """
    hashed, blocks = digest(), list[bytes]()
    length = size = 0

    def pack(piece: bytes) -> bytes:
        hashed.update(piece)
        return zlib.compress(piece, _LEVEL)

    async for piece in pieces:
        yield piece
        length += len(piece)
        if size < most:
            block = await asyncio.to_thread(pack, piece)
            blocks.append(block)
            size += len(block)
        else:
            blocks.clear()
    if size < most:
        keep(Packed(blocks, length, hashed.hexdigest()))
