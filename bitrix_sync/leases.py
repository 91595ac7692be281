"""An order's lease: reconcile and every answer hold it, so that no two work on one order at once."""

from __future__ import annotations

import time

from ledger import Lease, Ledger
from orders.errors import Transient


def lease_name(instance_id: str) -> str:
    """Return the name of an order's lease."""
    return f"order:{instance_id}"


def wait_for_lease(ledger: Ledger, instance_id: str, seconds: float, wait: float, busy: str) -> Lease:
    """Take an order's lease, waiting at most `wait` seconds. Raises Transient with the words `busy`."""
    until = time.monotonic() + wait
    while (lease := ledger.lease(lease_name(instance_id), seconds)) is None:
        if time.monotonic() > until:
            raise Transient(busy, 2.0)
        time.sleep(0.05)
    return lease
