"""A lease: one holder at a time, with an end, so that a dead holder blocks nobody for long."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.store import Ledger


class Lease:
    """A lease that is held. Leaving its `with` block gives it back; `renew` says whether it is still ours."""

    def __init__(self, ledger: Ledger, name: str, owner: str, seconds: float, expires: float) -> None:
        self._ledger, self.name, self.owner, self.seconds, self.expires = ledger, name, owner, seconds, expires

    def left(self) -> float:
        """Return the seconds until the end, negative after it."""
        return self.expires - self._ledger.now()

    def renew(self) -> bool:
        """Move the end; False where the lease has ended or is another's: stop before the next effect."""
        expires = self._ledger.renew_lease(self.name, self.owner, self.seconds)
        if expires is None:
            return False
        self.expires = expires
        return True

    def keep(self) -> bool:
        """Renew when less than two thirds are left; False as with `renew`."""
        return True if self.left() > self.seconds * 2 / 3 else self.renew()

    def release(self) -> None:
        """Give the lease back; harmless where it has ended."""
        self._ledger.release_lease(self.name, self.owner)

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
