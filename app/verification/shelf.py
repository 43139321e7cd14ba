"""What verifications share: copies of other people's keys and lists, kept for a short while, and how often one host is asked.

Anybody may have badges verified, and whoever writes a badge decides which addresses are asked. Without bounds this service could
be made to flood a host that has done nothing (amplification). So a host is asked so many times a minute, and all hosts together
so many; and what was had is kept as long as its publisher allows, and no longer than KEPT_AT_MOST: a key or a badge may have been
revoked since. In memory, one for each process: nothing here outlives it, and nothing in it is anybody's secret.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.errors import Unavailable

KEPT_AT_MOST = 300.0
"""Seconds, whatever the publisher says."""
KEPT_BY_DEFAULT = 60.0
"""Seconds, where the publisher says nothing."""
MAX_BYTES = 32 << 20
MAX_DOCUMENTS_OF_HOST = 64
MINUTE = 60.0
MAX_PER_MINUTE = 600
"""Fetches of all hosts together, a minute."""
MAX_HOSTS = 10_000


class HostBusy(Unavailable):
    """A host has been asked as often as this service asks one in a minute."""

    def __init__(self) -> None:
        super().__init__("This host has been asked too often in the last minute.", cure="Try again in a minute.")


@dataclass(frozen=True, slots=True)
class _Kept:
    document: Mapping[str, Any]
    size: int
    until: float


@dataclass(slots=True)
class _Allowance:
    """A bucket that fills within a minute: so many fetches at once, and no more than so many a minute after."""

    left: float
    at: float

    def take(self, now: float, per_minute: int) -> bool:
        self.left = min(per_minute, self.left + (now - self.at) * per_minute / MINUTE)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Shelf:
    """Documents by URL, and an allowance for each host. `clock` counts seconds and never goes back."""

    def __init__(self, *, per_host: int = 60, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_host = per_host
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._hosts: OrderedDict[str, _Allowance] = OrderedDict()
        self._all = _Allowance(MAX_PER_MINUTE, clock())

    def find(self, url: str) -> Mapping[str, Any] | None:
        """The copy of what is at `url`, None when there is none that may still be used."""
        kept = self._kept.get(url)
        if kept is None:
            return None
        if kept.until <= self._clock():
            self._forget(url)
            return None
        return kept.document

    def keep(self, url: str, document: Mapping[str, Any], *, size: int, max_age: int | None) -> None:
        """Keep a document of `size` bytes. `max_age` is what its host says, in seconds; a status list may ask for less itself."""
        seconds = min([KEPT_AT_MOST, KEPT_BY_DEFAULT if max_age is None else max_age, *_read_ttl(document)])
        if seconds <= 0:
            return
        self._forget(url)
        host = _host(url)
        of_host = [each for each in self._kept if _host(each) == host]
        for each in of_host[: max(0, len(of_host) + 1 - MAX_DOCUMENTS_OF_HOST)]:
            self._forget(each)
        self._kept[url] = _Kept(document, size, self._clock() + seconds)
        self._bytes += size
        while self._bytes > MAX_BYTES:
            self._forget(next(iter(self._kept)))

    def admit(self, url: str) -> None:
        """Count one fetch of `url`. Raises HostBusy when its host, or the world, has been asked often enough."""
        now, host = self._clock(), _host(url)
        allowance = self._hosts.setdefault(host, _Allowance(self._per_host, now))
        self._hosts.move_to_end(host)
        if len(self._hosts) > MAX_HOSTS:
            self._hosts.popitem(last=False)
        if not (allowance.take(now, self._per_host) and self._all.take(now, MAX_PER_MINUTE)):
            raise HostBusy

    def _forget(self, url: str) -> None:
        kept = self._kept.pop(url, None)
        self._bytes -= kept.size if kept else 0


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _read_ttl(document: Mapping[str, Any]) -> list[float]:
    """The `ttl` of a status list, in seconds (Bitstring Status List v1.0, section 2.2: it has it in milliseconds)."""
    subject = document.get("credentialSubject")
    ttl = subject.get("ttl") if isinstance(subject, dict) else None
    return [ttl / 1000] if isinstance(ttl, int | float) and not isinstance(ttl, bool) and ttl >= 0 else []
