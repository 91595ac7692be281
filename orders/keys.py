"""Names that must be the same everywhere and for ever: business keys and the keys of effects.

Forms of a business key: `{entityTypeId}-{itemId}` of a card made in Bitrix24, `ORD-YYYY-NNNNN` numbered by the
engine, or the caller's own. Both reserved forms are accepted from the integration account only.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date, datetime

from orders.dates import utc
from orders.errors import Refused
from orders.twins import find_in_id, skeleton

MAX_LENGTH = 64
_CARD = re.compile(r"[0-9]+-[0-9]+")
_NUMBERED = re.compile(r"ORD-[0-9]{4}-[0-9]{5,}")
_OWN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_FOREIGN = re.compile(r"(?:№ ?)?[^\W_][\w ./№#()+-]*", re.UNICODE)


def is_card_key(key: str) -> bool:
    """Tell whether a key names a card made in Bitrix24: `1032-57`."""
    return _CARD.fullmatch(key) is not None


def is_numbered_key(key: str) -> bool:
    """Tell whether a key is a number that the engine gave: `ORD-2026-00042`."""
    return _NUMBERED.fullmatch(key) is not None


def card_key(entity_type_id: int, item_id: int) -> str:
    """Return the business key of a card made in Bitrix24."""
    return f"{entity_type_id}-{item_id}"


def numbered_key(year: int, number: int) -> str:
    """Return the business key of the order with that number in a year."""
    return f"ORD-{year:04d}-{number:05d}"


def is_own_key(key: str) -> bool:
    """Tell whether any entitled person may start an order under this key, whatever the account."""
    return bool(_OWN.fullmatch(key)) and not is_card_key(key) and not key.upper().startswith("ORD-")


def check_import_key(key: str) -> str:
    """Return the key as given; raise Refused where it cannot name an order brought in from a file.

    Numbers of other books are taken as they are («2026/К-17»), except those that print like one of our own forms.
    """
    if not key:
        raise Refused("Номер заказа пуст: укажите номер, под которым заказ известен у вас")
    if len(key) > MAX_LENGTH:
        raise Refused(f"Номер заказа длиннее {MAX_LENGTH} знаков: {len(key)}")
    if not _FOREIGN.fullmatch(key):
        raise Refused(f"В номере заказа «{key}» недопустимый знак: можно буквы, цифры, пробел и . _ - / № # ( ) +")
    folded = skeleton(key)
    if folded.upper().startswith("ORD-") and not is_numbered_key(key):
        twin = find_in_id(key)
        hint = f": {twin}" if twin else ", но записан не как ORD-2026-00042"
        raise Refused(f"Номер «{key}» похож на номер этой программы{hint}")
    return key


def visit_key(business_key: str, task_id: str, visit: str) -> str:
    """Return the effect key of a visit's portal task; `visit` is the activityInstanceId of its sync-stage."""
    return f"{business_key}:task:{task_id}:{visit}"


def late_key(business_key: str, ready_by: datetime) -> str:
    """Return the effect key of the flag for one promise; one promise, one flag, whatever its notation."""
    return f"{business_key}:late:{instant_text(ready_by)}"


def reminder_key(business_key: str, ready_by: datetime, day: date) -> str:
    """Return the effect key of the reminder about one promise on one working day."""
    return f"{late_key(business_key, ready_by)}:{day.isoformat()}"


def note_key(business_key: str, activity_instance_id: str, person: str) -> str:
    """Return the effect key of a notice to one person from one visit of a notify step."""
    return f"{business_key}:note:{activity_instance_id}:{person}"


def request_hash(*parts: object) -> str:
    """Return a SHA-256 (hex) over what an effect is asked to do, to tell a repeat from a different request."""
    digest = hashlib.sha256()
    for part in parts:
        data = str(part).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def instant_text(moment: datetime) -> str:
    """Return an aware instant as UTC text to the second, so that two notations of one instant give one key."""

    return utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")
