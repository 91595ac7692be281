"""The portal while an order's lease is held: no call goes out for work that somebody else now does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitrix_sync.client import Command, PortalClient
from bitrix_sync.envelope import Answer, BatchAnswer
from bitrix_sync.retry import Kind
from ledger import Lease
from orders.errors import Transient
from orders.ports import Hold


class Guarded:
    """The client's calls, each after making sure that lock and lease are still ours."""

    def __init__(self, client: PortalClient, hold: Hold, lease: Lease | None = None) -> None:
        self.client, self._hold, self._lease = client, hold, lease

    def check(self) -> None:
        """Raise Transient where the lease was lost, or whatever `hold` raises."""
        self._hold()
        if self._lease is not None and not self._lease.keep():
            raise Transient("аренда заказа кончилась: им занят другой процесс", 1.0)

    def still_ours(self) -> bool:
        """Tell whether an answer that just came may be trusted to be ours to write down."""
        return self._lease is None or self._lease.left() > 0

    def call(self, method: str, params: Mapping[str, Any] | None = None, *, kind: Kind | None = None) -> Answer:
        """Call one method."""
        self.check()
        return self.client.call(method, params, kind=kind)

    def call_v3(self, method: str, body: Mapping[str, Any], key: str) -> Answer:
        """Call a REST 3 create with an Idempotency-Key."""
        self.check()
        return self.client.call_v3(method, body, key)

    def batch(self, commands: Mapping[str, Command], *, kind: Kind = Kind.READ) -> BatchAnswer:
        """Call a batch; an empty one sends nothing."""
        if not commands:
            return BatchAnswer()
        self.check()
        return self.client.batch(commands, kind=kind)

    def download(self, url: str) -> bytes:
        """Fetch a file by a link of this portal."""
        self.check()
        return self.client.download(url)

    def fetch(self, url: str) -> tuple[str, bytes]:
        """Fetch a file by a link of this portal, with its name."""
        self.check()
        return self.client.fetch(url)
