"""What the sweep could not put right: remembered between sweeps, so that an operator and a director hear of it.

One sweep's trouble passes by itself; what two sweeps in a row leave different is drift.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypedDict

CURSOR = "sweep:drift"  # in the ledger
_MOST, _SWEEPS, _LONGEST = 200, 2, 200


@dataclass(frozen=True, slots=True)
class Drift:
    """An order whose card differs from the engine for more than one sweep, and why it could not be repaired."""

    order: str
    why: str


def after_sweep(
    before: str | None, looked: Collection[str], known: Collection[str], failed: Mapping[str, tuple[str, str]]
) -> str:
    """Return what to remember after a sweep. `failed`: instance -> (order, why) among those that were `looked` at.

    An order whose turn it was not stays as it was; one that is none of the `known` any more is forgotten.
    """
    kept = {i: row for i, row in _read(before).items() if i in known and i not in looked}
    times = {i: row["times"] for i, row in _read(before).items()}
    for instance, (order, why) in list(failed.items())[:_MOST]:
        kept[instance] = {"order": order, "why": why[:_LONGEST], "times": times.get(instance, 0) + 1}
    return json.dumps(kept, ensure_ascii=False)


def lasting(text: str | None) -> list[Drift]:
    """Return what more than one sweep in a row left different."""
    return [Drift(row["order"], row["why"]) for row in _read(text).values() if row["times"] >= _SWEEPS]


class _Row(TypedDict):
    order: str
    why: str
    times: int


def _read(text: str | None) -> dict[str, _Row]:
    try:
        rows = json.loads(text or "{}")
        return {
            str(i): {"order": str(r["order"]), "why": str(r["why"]), "times": int(r["times"])} for i, r in rows.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
