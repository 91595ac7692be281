"""What of a card differs from what it should be: pure, used by reconcile, by the dry run and by the final proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from bitrix_sync.card import DesiredCard
from bitrix_sync.php import as_list, as_map
from bitrix_sync.schema import CardField, PortalSchema
from bitrix_sync.values import same, to_portal
from orders.snapshot import FileRef, Scalar

CARD_LOST = ("Карточка", "нет")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same on both sides, in words."""

    order: str  # business key
    what: str  # «Сумма сметы, ₽»
    engine: str
    portal: str
    since: datetime | None = None  # UTC; None where neither side tells
    who: str = ""  # whoever changed that side last

    @property
    def card_lost(self) -> bool:
        """Tell whether the whole card is gone: an operator's choice, never made anew by itself."""
        return (self.what, self.portal) == CARD_LOST

    def __str__(self) -> str:
        """Return one line for a person."""
        return f"{self.order}: {self.what}: в движке «{self.engine}», в карточке «{self.portal}»"


@dataclass(frozen=True, slots=True)
class Change:
    """One field of the card that has to be written: its portal name and value, and the words for a person."""

    name: str
    value: Any
    what: str
    engine: str
    portal: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in a card's file field. `url` opens it for a machine and carries a token."""

    id: int
    url: str


def people_changes(item: Mapping[str, Any], responsible: int | None, observers: Iterable[int]) -> list[Change]:
    """Return who has to be put on the card; nobody is never put."""
    changes = []
    if responsible is not None and str(item.get("assignedById")) != str(responsible):
        changes.append(_system("assignedById", responsible, "Ответственный", item.get("assignedById")))
    wanted = sorted(set(observers))
    have = sorted(int(each) for each in as_list(item.get("observers")))
    if wanted and wanted != have:
        changes.append(_system("observers", wanted, "Наблюдатели", have))
    return changes


def card_changes(
    schema: PortalSchema, wish: DesiredCard, values: Mapping[str, Scalar], item: Mapping[str, Any], zone: tzinfo
) -> list[Change]:
    """Return title, column and fields that differ. `values`: what to compare, the open stage's draft left out."""
    changes = []
    if item.get("title") != wish.title:
        changes.append(_system("title", wish.title, "Название", item.get("title")))
    if item.get("xmlId") != wish.xml_id:  # a card that somebody made by hand is marked as this order's
        changes.append(_system("xmlId", wish.xml_id, "Внешний код", item.get("xmlId")))
    if wish.stage is not None and item.get("stageId") != schema.columns[wish.stage]:
        have = schema.column_code(item.get("stageId")) or str(item.get("stageId"))
        changes.append(Change("stageId", schema.columns[wish.stage], "Колонка", wish.stage, have))
    for variable, value in values.items():
        field = schema.fields.get(variable)
        if field is not None and not same(field, item.get(field.name), value, zone):
            changes.append(_of(field, value, item.get(field.name), zone))
    return changes


def new_card(schema: PortalSchema, wish: DesiredCard, values: Mapping[str, Scalar], zone: tzinfo) -> dict[str, Any]:
    """Return the fields of a card that does not exist yet, files left out."""
    fields: dict[str, Any] = {"title": wish.title, "xmlId": wish.xml_id, "categoryId": schema.category_id}
    if wish.stage is not None:
        fields["stageId"] = schema.columns[wish.stage]
    for variable, value in values.items():
        field = schema.fields.get(variable)
        if field is not None and value not in (None, "") and not field.kind.holds_files:
            fields[field.name] = to_portal(field, value, zone)
    return fields


def entries(field: CardField, item: Mapping[str, Any]) -> list[Entry]:
    """Return the files that a card's field holds."""
    shown = item.get(field.name)
    rows = as_list(shown) if field.multiple else [shown] if shown else []
    return [Entry(int(row["id"]), str(row.get("urlMachine") or "")) for row in map(as_map, rows) if row.get("id")]


def file_names(files: Iterable[FileRef]) -> str:
    """Return files as people read them."""
    return ", ".join(file.name for file in files) or "—"


def _of(field: CardField, value: Scalar, shown: Any, zone: tzinfo) -> Change:
    engine = "—" if value in (None, "") else str(value)
    portal = "—" if shown in (None, "", []) else str(shown) if not field.kind.holds_files else "файл"
    return Change(field.name, to_portal(field, value, zone), field.label, engine, portal)


def _system(name: str, value: Any, what: str, have: Any) -> Change:
    return Change(name, value, what, str(value), str(have))
