"""The lock of a push.

A store may not know "insert unless there is one" (Virtuoso 7 does not), so each push writes a lock of its own and then looks:
who finds another's beside it steps back. Of two that first write and then look, at most one goes on.
"""

import os
import secrets
import socket
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pyoxigraph as ox

from onemg_kg.client import Client, StoreError
from onemg_kg.push.requests import Requests
from onemg_kg.terms import BASE, text

STAGING = BASE + "staging/"
"""Below it, each push has a folder of staging graphs; whoever reads the graphs below ``graph/`` sees none of them."""
LOCKS = STAGING + "locks"


class Lock:
    """The lock of one push.

    Attributes:
        iri: its name, and the folder of the push's staging graphs.
        owner: the machine and the process, as others are told.
    """

    def __init__(self, client: Client, requests: Requests) -> None:
        self.iri = STAGING + secrets.token_hex(8)
        self.owner = f"{socket.gethostname()} {os.getpid()}"
        self._client, self._requests = client, requests

    def acquire(self, *, force: bool, stale: timedelta) -> None:
        """Take the lock.

        Args:
            force: take it over from whoever has it.
            stale: the age at which another's lock no longer counts.

        Raises:
            StoreError: another push is under way, or the store does not do what it is told.
        """
        for iri, (other, since) in self._all().items():
            if not (force or _is_stale(other, since, stale)):
                self._refuse(other, since)
            self._client.update(self._requests.fill("unlock", locks=LOCKS, lock=iri))
        began = datetime.now(UTC).isoformat(timespec="seconds")
        owner = ox.Literal(self.owner)
        self._client.update(self._requests.fill("lock", locks=LOCKS, lock=self.iri, owner=owner, began=ox.Literal(began)))
        found = self._all()
        if self.iri not in found:
            raise StoreError(
                "accepts an update and does not do it.",
                source=self._client.endpoint.update,
                fix="Look whether this user may write, and whether queries go to the same store as updates.",
            )
        if len(found) > 1:
            self._refuse(*next(told for iri, told in found.items() if iri != self.iri))

    def release(self, client: Client) -> None:
        """Give the lock back, by a client that may be more or less patient.

        Raises:
            StoreError: it could not be done.
        """
        client.update(self._requests.fill("unlock", locks=LOCKS, lock=self.iri))

    def is_held(self) -> bool:
        """Whether nobody took it over.

        Raises:
            StoreError: the store cannot be asked.
        """
        return self.iri in self._all()

    def _all(self) -> dict[str, tuple[str, str]]:
        rows = self._client.select(self._requests.fill("locks", locks=LOCKS), "lock", "owner", "began")
        return {text(lock): (text(owner), text(began)) for lock, owner, began in rows}

    def _refuse(self, owner: str, began: str) -> NoReturn:
        raise StoreError(
            f"another push is under way, by {owner}, since {began}.",
            source=self._client.endpoint.update,
            fix="Wait for it; if you know that it has ended, use --force.",
        )


def _is_stale(owner: str, began: str, stale: timedelta) -> bool:
    """Whether a push is no longer under way: it is old, or its process on this machine has ended."""
    try:
        if datetime.now(UTC) - datetime.fromisoformat(began) > stale:
            return True
    except (ValueError, TypeError):
        return False
    host, _, process = owner.rpartition(" ")
    if host != socket.gethostname() or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return int(process) == os.getpid()  # an earlier one of ours, which could not take its lock away
