"""What can go wrong with the ledger itself."""

from __future__ import annotations


class LedgerError(Exception):
    """The ledger cannot be read or written; the message names the cause and the remedy."""


class ForeignLedger(LedgerError):
    """The ledger belongs to another engine than the one that answers."""
