"""Names of our things in the portal: the smart process, its columns and its fields. Values only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orders.stage import Field, FieldKind, Route
from orders.steps import END_CODES

MARKER = "orderKey"  # the field whose presence tells that a smart process is ours
FACTS = (
    Field(MARKER, FieldKind.LINE, "Номер заказа"),
    Field("holder", FieldKind.LINE, "У кого"),
    Field("stageDue", FieldKind.MOMENT, "Срок этапа"),
    Field("lateSince", FieldKind.MOMENT, "Опаздывает с"),
    Field("refusal", FieldKind.TEXT, "Почему файлы не приняты"),
)
"""Fields of the card that are not variables of the order."""

USER_TYPES = {
    FieldKind.LINE: "string",
    FieldKind.TEXT: "string",
    FieldKind.CHOICE: "enumeration",  # xmlId = the value in the diagram, the label may be reworded
    FieldKind.SUM: "money",  # the portal shows «125 000 ₽» and takes numbers only; a string would take anything
    FieldKind.DATE: "date",
    FieldKind.MOMENT: "datetime",
    FieldKind.FILE: "file",
    FieldKind.FILES: "file",
}

WON = "delivered"
NO_CARD = "End_Duplicate"


@dataclass(frozen=True, slots=True)
class CardField:
    """One field of the card: `name` as crm.item.* has it, `choices` from a value to the portal's item id."""

    variable: str
    kind: FieldKind
    name: str
    upper: str
    label: str
    choices: Mapping[str, int] = field(default_factory=dict)

    @property
    def multiple(self) -> bool:
        """Tell whether it holds several files."""
        return self.kind is FieldKind.FILES


@dataclass(frozen=True, slots=True)
class PortalSchema:
    """What reconcile needs to know of a portal that was set up."""

    entity_type_id: int
    type_id: int
    category_id: int
    columns: Mapping[str, str]  # stage or outcome code -> stage id of the portal
    fields: Mapping[str, CardField]  # variable -> field
    folder_id: int | None = None  # Drive folder «Заказы»

    @property
    def binding(self) -> str:
        """Return the prefix by which tasks are bound to cards: T9c of T9c_29."""
        return f"T{self.entity_type_id:x}"

    @property
    def owner_type(self) -> str:
        """Return the timeline's name of the cards' type."""
        return f"dynamic_{self.entity_type_id}"

    def column_code(self, stage_id: str | None) -> str | None:
        """Return the code of a portal stage, or None for one that is not ours."""
        return next((code for code, known in self.columns.items() if known == stage_id), None)


@dataclass(frozen=True, slots=True)
class Column:
    """One wished column: `semantics` is "" for work, S for won, F for lost."""

    code: str
    label: str
    semantics: str = ""


def outcome_code(end_id: str) -> str:
    """Return the column code of an outcome end; ends that an analyst adds get one from their id."""
    return END_CODES.get(end_id) or end_id.removeprefix("End_").lower()


def columns_of(route: Route) -> tuple[Column, ...]:
    """Return the columns of a route: stages in their order, then the won outcome, then the lost ones."""
    stages = tuple(Column(stage.code, stage.label or stage.name) for stage in route.stages)
    ends = [(outcome_code(end), route.end_names.get(end, end)) for end in route.ends if end != NO_CARD]
    won = tuple(Column(code, name, "S") for code, name in ends if code == WON)
    return stages + won + tuple(Column(code, name, "F") for code, name in ends if code != WON)


def fields_of(route: Route) -> tuple[Field, ...]:
    """Return all fields of the card, each name once: facts, then the start's, then the stages'.

    Labels that several stages share («Комментарий») get the stage's name, so that the card can be read.
    """
    found: dict[str, tuple[Field, str]] = {each.name: (each, "") for each in (*FACTS, *route.start_fields)}
    for stage in route.stages:
        for each in stage.fields:
            found.setdefault(each.name, (each, stage.name))
    labels = Counter(each.label for each, _ in found.values())
    return tuple(
        replace(each, label=f"{each.label} ({where})") if where and labels[each.label] > 1 else each
        for each, where in found.values()
    )


def code_of(variable: str) -> str:
    """Return the letters-only code of a variable: customerName -> CUSTOMER_NAME (digits spoil the portal's names)."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", variable).upper()
    return re.sub(r"[^A-Z_]", lambda found: "ABCDEFGHIJ"[int(found[0])] if found[0].isdigit() else "_", words)[:36]
