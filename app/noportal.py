"""The mirror of a shop without a portal: the route runs, Tasklist is the only door, and nothing is mirrored."""

from __future__ import annotations

from orders.ports import Hold, held


class NoPortal:
    """Fulfils `orders.ports.Mirror` by doing nothing; used while `BITRIX_WEBHOOK_URL` is not set."""

    def reconcile(self, instance_id: str, hold: Hold = held) -> None:
        """Mirror nothing."""

    def tell(self, person: str, text: str, key: str, hold: Hold = held) -> None:
        """Tell nobody: there is no channel."""

    def sweep(self, hold: Hold = held) -> int:  # noqa: ARG002 - the port has it
        """Look at nothing."""
        return 0
