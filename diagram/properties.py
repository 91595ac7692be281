"""The properties of a user task or start event as values: `field.*`, `required`, `commentOn`, `norm`, `waits`.

Rule: the properties of a stage in the design; an empty property means absent. Every fault is a DiagramError
that names the element.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from diagram.bpmn import Node
from diagram.errors import DiagramError
from orders.stage import Demand, Field, FieldKind

NAME = re.compile(r"[a-z][A-Za-z0-9]{0,63}", re.ASCII)
NORM = re.compile(r"(?:0|[1-9][0-9]{0,3})[hd]|until:[a-z][A-Za-z0-9]{0,63}", re.ASCII)
MOMENTS = ("future", "past")
WAITS = ("customer",)


def names(text: str | None) -> tuple[str, ...]:
    """Split a comma-separated property; empty parts are left out."""
    return tuple(part for part in (raw.strip() for raw in (text or "").split(",")) if part)


def read_fields(node: Node) -> tuple[Field, ...]:
    """Return the fields in the order of the diagram. Raises DiagramError."""
    found = ((key.removeprefix("field."), text) for key, text in node.properties.items() if key.startswith("field."))
    return tuple(_field(node, name, text) for name, text in found)


def _field(node: Node, name: str, text: str) -> Field:
    if not NAME.fullmatch(name):
        raise _fault(node, f"имя поля «{name}» не годится", "Имя поля: латинские буквы и цифры, первая строчная")
    kind_text, _, rest = text.partition(";")
    label, _, options = (part.strip() for part in rest.partition(";"))
    try:
        kind = FieldKind(kind_text.strip())
    except ValueError:
        known = ", ".join(FieldKind)
        raise _fault(node, f"тип «{kind_text.strip()}» поля {name} неизвестен", f"Допустимы: {known}") from None
    if not label:
        raise _fault(node, f"у поля {name} нет названия", f"Напишите: {kind}; Название")
    if kind is FieldKind.CHOICE:
        return Field(name, kind, label, choices=_choices(node, name, options))
    return Field(name, kind, label, options=_options(node, name, kind, options))


def _choices(node: Node, name: str, text: str) -> tuple[tuple[str, str], ...]:
    found = []
    for part in names(text):
        value, sign, label = (piece.strip() for piece in part.partition("="))
        if not sign or not label or not NAME.fullmatch(value):
            raise _fault(
                node, f"вариант «{part}» поля {name} не годится", "Пишите: approve=Согласовать, reject=Отклонить"
            )
        found.append((value, label))
    if len(found) < 2 or len({value for value, _ in found}) < len(found):
        raise _fault(
            node, f"у выбора {name} меньше двух разных вариантов", "Пишите: approve=Согласовать, reject=Отклонить"
        )
    return tuple(found)


def _options(node: Node, name: str, kind: FieldKind, text: str) -> tuple[str, ...]:
    found = names(text)
    dated = kind in (FieldKind.DATE, FieldKind.MOMENT)
    if found and not (dated and len(found) == 1 and found[0] in MOMENTS):
        remedy = "Для даты допустимо одно слово: future или past" if dated else "Уберите третью часть"
        raise _fault(node, f"«{text}» у поля {name} непонятно", remedy)
    return found


def read_required(node: Node, fields: Iterable[Field]) -> tuple[Demand, ...]:
    """Return what a completion must bring. Raises DiagramError."""
    known = {item.name: item for item in fields}
    return tuple(_demand(node, text, known) for text in names(node.properties.get("required")))


def _demand(node: Node, text: str, known: dict[str, Field]) -> Demand:
    name, _, when = (part.strip() for part in text.partition("@"))
    if name not in known:
        raise _fault(
            node, f"required называет поле «{name}», которого нет", f"Есть поля: {', '.join(known) or 'ни одного'}"
        )
    if not when:
        if "@" in text:
            raise _fault(node, f"«{text}» в required непонятно", "После @ пишут решение или сравнение двух полей")
        return Demand(name)
    left, sign, right = (part.strip() for part in when.partition("!="))
    if sign:
        if left not in known or not NAME.fullmatch(right):
            raise _fault(
                node, f"сравнение «{when}» в required непонятно", "Слева поле этого шага, справа имя переменной"
            )
        return Demand(name, differs=(left, right))
    return Demand(name, decision=_decision(node, when, known.values(), "required"))


def read_comment_on(node: Node, fields: tuple[Field, ...]) -> tuple[str, ...]:
    """Return the decisions that ask for a comment. Raises DiagramError."""
    found = names(node.properties.get("commentOn"))
    if found and not any(item.kind is FieldKind.TEXT for item in fields):
        raise _fault(node, "commentOn есть, а поля типа text нет", "Добавьте поле для причины")
    return tuple(_decision(node, value, fields, "commentOn") for value in found)


def _decision(node: Node, value: str, fields: Iterable[Field], where: str) -> str:
    choice = next((item for item in fields if item.kind is FieldKind.CHOICE), None)
    values = [known for known, _ in choice.choices] if choice else []
    if value not in values:
        known = f"Есть решения: {', '.join(values)}" if values else "Добавьте поле типа choice"
        raise _fault(node, f"{where} называет решение «{value}», которого нет", known)
    return value


def read_norm(node: Node) -> str:
    """Return the norm: 8h (working hours), 2d (days), 0h (no deadline) or until:variable. Raises DiagramError."""
    norm = node.properties.get("norm", "")
    if not NORM.fullmatch(norm):
        problem = f"норма «{norm}» непонятна" if norm else "не задана норма времени"
        raise _fault(node, problem, "Пишите 8h, 2d или until:readyBy")
    return norm


def read_code(node: Node) -> str:
    """Return the column code. Raises DiagramError."""
    code = node.properties.get("stage", "")
    if not NAME.fullmatch(code):
        raise _fault(node, f"код шага «{code}» не годится", "Код: латинские буквы и цифры, первая строчная")
    return code


def read_label(node: Node) -> str:
    """Return the column title. Raises DiagramError."""
    label = node.properties.get("label", "")
    if not label:
        raise _fault(node, "нет названия колонки (свойство label)", "Напишите, как колонка называется на доске")
    return label


def read_waits(node: Node) -> str | None:
    """Return whom the stage waits for, or None. Raises DiagramError."""
    waits = node.properties.get("waits")
    if waits is not None and waits not in WAITS:
        raise _fault(node, f"waits = «{waits}» непонятно", "Допустимо только customer")
    return waits


def read_track(node: Node) -> tuple[str, str] | None:
    """Return what the customer reads of the stage, in Russian and English, or None. Raises DiagramError."""
    text = node.properties.get("track", "")
    if not text:
        return None
    russian, _, english = (part.strip() for part in text.partition(";"))
    if not russian or not english:
        raise _fault(node, f"track = «{text}» непонятно", "Пишите: Подбираем ткань; We are choosing the fabric")
    return russian, english


def _fault(node: Node, problem: str, remedy: str) -> DiagramError:
    return DiagramError(problem, remedy, node.id, node.name or None)
