"""What was answered before: exactly the same, as much as fits."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Cache(Generic[Answer]):
    """Whole answers by what was asked. It belongs to one build of the graph, and ends with it.

    Args:
        limit: how many bytes it holds.

    Attributes:
        size: how many bytes it holds now.
        hits: how often it had the answer.
        misses: how often it had not, and an answer was made.
    """

    _OVERHEAD = 1536
    """What an entry takes besides its text and its answer, as measured: objects of Python, and what lies idle between them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = self.hits = self.misses = 0
        self._entries: OrderedDict[Hashable, tuple[Answer, int]] = OrderedDict()

    @property
    def most(self) -> int:
        """How many bytes question and answer may have together to be kept: one may not take the place of all others."""
        return self.limit // 8 - self._OVERHEAD

    def get(self, key: Hashable) -> Answer | None:
        """The answer to what was asked, if it was asked before."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self.hits += 1
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Hashable, answer: Answer, size: int) -> None:
        """Keep an answer, and let go of those that were not wanted for longest.

        Args:
            key: what was asked.
            answer: the whole answer.
            size: how many bytes question and answer have.
        """
        if size > self.most or key in self._entries:
            return
        cost = size + self._OVERHEAD
        self._entries[key] = answer, cost
        self.size += cost
        while self.size > self.limit:
            _, (_, freed) = self._entries.popitem(last=False)
            self.size -= freed
