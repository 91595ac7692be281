"""What the engine cannot hold: effect keys, unique starts, leases, the shared rate budget, cursors.

No order data. When the file is lost, reconcile rebuilds what matters from engine and portal, and nothing doubles.
"""

from ledger.effects import Effect, EffectState
from ledger.errors import ForeignLedger, LedgerError
from ledger.lease import Lease
from ledger.store import Ledger

__all__ = ["Effect", "EffectState", "ForeignLedger", "Lease", "Ledger", "LedgerError"]
