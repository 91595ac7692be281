"""Fields of smart-process items: names, types, reading and showing values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from bitrix_sync.sandbox.envelope import Refusal
from bitrix_sync.sandbox.params import integer, yes
from bitrix_sync.sandbox.rest import item_files
from bitrix_sync.sandbox.rest.registry import Call, parse_moment
from bitrix_sync.sandbox.rest.userfields import fields_of
from bitrix_sync.sandbox.store import Doc

_MONEY = re.compile(r"-?\d+(\.\d+)?\|[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an item. State keeps values under the upper name."""

    upper: str
    camel: str
    type: str
    title: str
    read_only: bool = False
    multiple: bool = False
    required: bool = False
    custom: Doc | None = None

    def name(self, original: bool) -> str:
        """Return the name that the caller uses: custom fields keep theirs with useOriginalUfNames."""
        return self.upper if original and self.custom else self.camel


SYSTEM = (
    Field("ID", "id", "integer", "ID", read_only=True),
    Field("XML_ID", "xmlId", "string", "Внешний код"),
    Field("TITLE", "title", "string", "Название"),
    Field("CREATED_BY", "createdBy", "user", "Кем создан", read_only=True),
    Field("UPDATED_BY", "updatedBy", "user", "Кем изменён", read_only=True),
    Field("MOVED_BY", "movedBy", "user", "Кем передвинут", read_only=True),
    Field("CREATED_TIME", "createdTime", "datetime", "Когда создан", read_only=True),
    Field("UPDATED_TIME", "updatedTime", "datetime", "Когда изменён", read_only=True),
    Field("MOVED_TIME", "movedTime", "datetime", "Когда передвинут", read_only=True),
    Field("CATEGORY_ID", "categoryId", "crm_category", "Воронка"),
    Field("OPENED", "opened", "boolean", "Доступен для всех"),
    Field("STAGE_ID", "stageId", "crm_status", "Стадия"),
    Field("PREVIOUS_STAGE_ID", "previousStageId", "crm_status", "Предыдущая стадия", read_only=True),
    Field("ASSIGNED_BY_ID", "assignedById", "user", "Ответственный"),
    Field("LAST_ACTIVITY_BY", "lastActivityBy", "user", "Последняя активность, кто", read_only=True),
    Field("LAST_ACTIVITY_TIME", "lastActivityTime", "datetime", "Последняя активность", read_only=True),
    Field("WEBFORM_ID", "webformId", "integer", "Создан CRM-формой"),
)
OPTIONAL = {
    "isObserversEnabled": (Field("OBSERVERS", "observers", "user", "Наблюдатели", multiple=True),),
    "isBeginCloseDatesEnabled": (
        Field("BEGINDATE", "begindate", "date", "Дата начала"),
        Field("CLOSEDATE", "closedate", "date", "Дата завершения"),
    ),
    "isLinkWithProductsEnabled": (
        Field("OPPORTUNITY", "opportunity", "double", "Сумма"),
        Field("IS_MANUAL_OPPORTUNITY", "isManualOpportunity", "boolean", "Сумма вручную"),
        Field("CURRENCY_ID", "currencyId", "crm_currency", "Валюта"),
    ),
    "isClientEnabled": (
        Field("COMPANY_ID", "companyId", "crm_company", "Компания"),
        Field("CONTACT_ID", "contactId", "crm_contact", "Контакт"),
    ),
}


def camel(upper: str) -> str:
    """Convert UF_CRM_3_DIGIT to ufCrm3Digit by the portal's regular or simplified rule."""
    found = re.fullmatch(r"UF_CRM_(\d+)_([A-Z]+(?:_[A-Z]+)*)", upper)
    if found:
        return f"ufCrm{found[1]}" + "".join(part.capitalize() for part in found[2].split("_"))
    found = re.fullmatch(r"UF_CRM_(\d+)_(\d+)", upper)
    if found:
        return f"ufCrm{found[1]}_{found[2]}"
    return f"ufCrm_{upper.removeprefix('UF_CRM_')}"


def fields_for(call: Call, owner: Doc) -> list[Field]:
    """Return system and custom fields of a type; where two names collide the upper ones are used."""
    known = list(SYSTEM)
    for flag, extra in OPTIONAL.items():
        if owner.get(flag):
            known.extend(extra)
    custom = fields_of(call.store, owner["id"])
    names = [camel(doc["fieldName"]) for doc in custom]
    for doc, name in zip(custom, names, strict=True):
        shown = doc["fieldName"] if names.count(name) > 1 else name
        known.append(
            Field(
                doc["fieldName"],
                shown,
                doc["userTypeId"],
                doc["label"].get("ru") or doc["fieldName"],
                multiple=doc["multiple"],
                required=doc["mandatory"],
                custom=doc,
            )
        )
    return known


def invalid(field: Field) -> Refusal:
    """Build the refusal of a value."""
    return Refusal("CRM_FIELD_ERROR_VALUE_NOT_VALID", f'Invalid value for field "{field.upper}"')


def read(call: Call, field: Field, value: Any, before: Any, owner: tuple[int, int]) -> Any:
    """Turn a sent value into the kept one. `owner` is (entityTypeId, item id) for files."""
    if field.type == "file":
        return item_files.read(call, field, value, before, owner)
    if not field.multiple:
        return None if value is None else _read_one(call, field, value)
    if value in ("", None):
        return []
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        kind = "string" if isinstance(value, str) else type(value).__name__
        raise Refusal("100", f"Expected iterable value for multiple field, but got `{kind}` instead")
    if not value and field.type == "enumeration":
        return before  # the portal cannot clear a multiple list with [] (open issue on its tracker)
    return [_read_one(call, field, item) for item in value if item not in ("", None, False)]


def _read_one(call: Call, field: Field, value: Any) -> Any:
    if isinstance(value, (dict, list)):
        raise invalid(field)
    if value == "":
        return "" if field.type in {"string", "url", "address"} else None
    try:
        return _READ.get(field.type, _text)(call, field, value)
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid(field) from error


def _text(_call: Call, _field: Field, value: Any) -> str:
    return ("1" if value else "") if isinstance(value, bool) else str(value)


def _number(_call: Call, _field: Field, value: Any) -> int:
    number = integer(value)
    if number is None:
        raise ValueError(value)
    return number


def _double(_call: Call, _field: Field, value: Any) -> float:
    return float(value)


def _boolean(_call: Call, _field: Field, value: Any) -> str:
    return "Y" if yes(value) else "N"


def _date(call: Call, _field: Field, value: Any) -> str:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
        return date.fromisoformat(str(value)).isoformat()
    return parse_moment(value, call.portal.zone).astimezone(call.portal.zone).date().isoformat()


def _datetime(call: Call, _field: Field, value: Any) -> str:
    return parse_moment(value, call.portal.zone).astimezone(UTC).isoformat(timespec="seconds")


def _money(_call: Call, _field: Field, value: Any) -> str:
    text = str(value)
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        text += "|RUB"
    if not _MONEY.fullmatch(text):
        raise ValueError(value)
    return text


def _enumeration(_call: Call, field: Field, value: Any) -> int:
    number = integer(value)
    if field.custom is None or number not in {item["id"] for item in field.custom["enum"]}:
        raise ValueError(value)
    return int(number or 0)


_READ = {
    "integer": _number,
    "user": _number,
    "employee": _number,
    "crm_category": _number,
    "double": _double,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "money": _money,
    "enumeration": _enumeration,
}


def show(call: Call, field: Field, value: Any) -> Any:
    """Turn a kept value into the shown one."""
    if field.type == "file":
        return item_files.show(call, field, value)
    if field.multiple:
        return [_show_one(call, field, item) for item in value or []]
    return _show_one(call, field, value)


def _show_one(call: Call, field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.type == "datetime":
        return call.show(value)
    if field.type == "date":
        # midnight UTC written with the portal's offset: west of Greenwich this reads as the evening before
        return call.show(datetime.combine(date.fromisoformat(value), time(0), UTC).isoformat())
    return value


def comparable(call: Call, field: Field, value: Any) -> Any:
    """Turn a filter value into what `kept` returns; raises ValueError if it cannot be one."""
    if value in (None, ""):
        return None
    if field.type in {"string", "money", "crm_status", "url", "address"}:
        return str(value)
    try:
        return _READ.get(field.type, _text)(call, field, value)
    except Refusal as error:
        raise ValueError(value) from error
