"""Files in item fields: written as [name, base64], kept with {id}, replaced as a whole."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from bitrix_sync.sandbox.envelope import Refusal
from bitrix_sync.sandbox.params import integer
from bitrix_sync.sandbox.rest.registry import Call
from bitrix_sync.sandbox.store import Doc

if TYPE_CHECKING:
    from bitrix_sync.sandbox.rest.item_fields import Field


def decode(content: Any) -> bytes:
    """Decode base64; raises ValueError on anything else."""
    if not isinstance(content, str):
        raise ValueError("not text")
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def read(call: Call, field: Field, value: Any, before: Any, owner: tuple[int, int]) -> Any:
    """Return the kept file id (or list of ids); files that are not named any more are deleted without a word."""
    current: list[int] = list(before or []) if field.multiple else [before] if before else []
    if not field.multiple:
        kept = [] if value in ("", None, []) else _one(call, field, value, current, owner)
    else:
        kept = _many(call, field, value, current, owner)
    for number in set(current) - set(kept):
        call.store.drop("crmfile", number)
    if field.multiple:
        return kept
    return kept[0] if kept else None


def _many(call: Call, field: Field, value: Any, current: list[int], owner: tuple[int, int]) -> list[int]:
    if value is None:
        return []
    if isinstance(value, dict):
        value = [value] if "id" in value or "ID" in value else list(value.values())
    if not isinstance(value, list):
        raise Refusal("100", "Expected iterable value for multiple field, but got `string` instead")
    if any(isinstance(item, str) and item for item in value):
        raise _invalid(field)  # a pair without its outer list
    return [number for item in value if item for number in _one(call, field, item, current, owner)]


def _one(call: Call, field: Field, value: Any, current: list[int], owner: tuple[int, int]) -> list[int]:
    if isinstance(value, dict) and ("id" in value or "ID" in value):
        number = integer(value.get("id", value.get("ID")))
        return [number] if number in current and number is not None else []
    if isinstance(value, dict):
        value = list(value.values()) if set(value) == {"0", "1"} else None
    if not isinstance(value, list) or len(value) != 2 or not str(value[0]).strip():
        raise _invalid(field)
    try:
        data = decode(value[1])
    except ValueError as error:
        raise _invalid(field) from error
    return [_save(call, field, str(value[0]), data, owner)]


def _save(call: Call, field: Field, name: str, data: bytes, owner: tuple[int, int]) -> int:
    settings = (field.custom or {}).get("settings") or {}
    largest = integer(settings.get("MAX_ALLOWED_SIZE")) or 0
    endings = [str(item).lower().lstrip(".") for item in settings.get("EXTENSIONS") or []]
    if (largest and len(data) > largest) or (endings and name.rpartition(".")[2].lower() not in endings):
        raise _invalid(field)
    number = call.store.next_id("crmfile")
    doc: Doc = {
        "id": number,
        "name": name,
        "size": len(data),
        "sha": call.store.save_blob(data),
        "field": field.upper,
        "entityTypeId": owner[0],
        "itemId": owner[1],
    }
    call.store.put("crmfile", number, doc)
    return number


def _invalid(field: Field) -> Refusal:
    return Refusal("CRM_FIELD_ERROR_VALUE_NOT_VALID", f'Invalid value for field "{field.upper}"')


def token(secret: str, kind: str, number: int) -> str:
    """Sign a download link."""
    return hmac.new(secret.encode(), f"{kind}:{number}".encode(), hashlib.sha256).hexdigest()[:40]


def show(call: Call, field: Field, value: Any) -> Any:
    """Show one file or a list of files with both links."""
    if field.multiple:
        return [_link(call, field, number) for number in value or []]
    return _link(call, field, value) if value else None


def _link(call: Call, field: Field, number: int) -> Doc:
    doc = call.store.get("crmfile", number) or {}
    place = f"entityTypeId={doc.get('entityTypeId')}&id={doc.get('itemId')}&fieldName={field.upper}&fileId={number}"
    signed = token(call.portal.secret, "crm", number)
    return {
        "id": number,
        "url": f"{call.base}/bitrix/services/main/ajax.php?action=crm.controller.item.getFile&{place}",
        "urlMachine": f"{call.base}/rest/crm.controller.item.getFile.json"
        f"?auth={signed[:20]}&token=crm%7C{number}%7C{signed}",
    }
