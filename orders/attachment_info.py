"""What is written about a judged file, and what a person reads of a refused one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from orders.dates import utc
from orders.errors import BusinessError, Permanent
from orders.snapshot import OrderSnapshot
from orders.stage import Field, FieldKind, Route

REJECTED = "ATTACHMENT_REJECTED"
FIX_REQUEST = "UserTask_FixRequest"
MOST_FILES = 20
TEXT_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class Judged:
    """One file with the judge's word. `text` is its clean name when accepted, else the sentence of the refusal."""

    variable: str
    accepted: bool
    text: str
    size: int  # bytes
    sha256: str  # hex


def judged_element(route: Route, activity_id: str) -> str:
    """Return the user task or start event whose files this step judges. Raises Permanent without one."""
    element = route.judged.get(activity_id)
    if element is None:
        raise Permanent(f"{activity_id}: перед проверкой вложений нет шага с файлами. Исправьте схему")
    return element


def sent_files(route: Route, element: str, held: Iterable[str]) -> list[str]:
    """Return the variables of the files that came with this completion, in the order of the form.

    The gate sets files that were not sent again to null, so what the instance holds of these fields was sent now.
    """
    stage = route.stage(element)
    fields = stage.fields if stage else route.start_fields
    present = set(held)
    return [name for field in fields if field.kind.holds_files for name in variables_of(field) if name in present]


def judged(variable: str, data: bytes, verdict: tuple[bool, str]) -> Judged:
    """Bind a verdict to the bytes that it is about."""
    return Judged(variable, verdict[0], verdict[1], len(data), hashlib.sha256(data).hexdigest())


def judgement(files: Iterable[Judged], order: OrderSnapshot, element: str, start_id: str) -> dict[str, object]:
    """Return the Info of each accepted file, old Infos and the old refusal cleared.

    Raises BusinessError ATTACHMENT_REJECTED when any file was refused: those files are sent as null, and the sentence
    stands in `refusal_{UserTask}` of the step that has to mend it.
    """
    all_files = list(files)
    refusal = f"refusal_{FIX_REQUEST if element == start_id else element}"
    if refused := [f for f in all_files if not f.accepted]:
        sentence = shortened(" ".join(f.text for f in refused))
        raise BusinessError(REJECTED, sentence, {**{f.variable: None for f in refused}, refusal: sentence})
    by, at = sender(order, element, start_id)
    return {refusal: None, **{f"{f.variable}Info": info_text(f, by, at) for f in all_files}}


def sender(order: OrderSnapshot, element: str, start_id: str) -> tuple[str, datetime]:
    """Return who sent the files and when: who completed the user task, or the initiator at the start."""
    if element == start_id:
        return order.initiator or "", order.started
    try:
        done = json.loads(str(order.variables.get(f"done_{element}") or "{}"))
        return str(done["person"]), datetime.fromisoformat(done["at"])
    except (ValueError, KeyError, TypeError):
        raise Permanent(f"{order.key}: переменная done_{element} не прочитана, неизвестно, кто прислал файлы") from None


def info_text(file: Judged, by: str, at: datetime) -> str:
    """Return the Info of an accepted file: JSON with name, size (bytes), sha256, by (person id), at (UTC)."""
    when = utc(at).isoformat(timespec="seconds").replace("+00:00", "Z")
    info: Mapping[str, object] = {
        "name": file.text, "size": file.size, "sha256": file.sha256, "by": by, "at": when,
    }  # fmt: skip
    return json.dumps(info, ensure_ascii=False)


def shortened(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return a text that fits a variable; a cut one ends with …."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def variables_of(field: Field) -> list[str]:
    """Return the variables that may hold a field's files: `name`, and of several `name_2` … `name_20`."""
    if field.kind is FieldKind.FILE:
        return [field.name]
    return [field.name, *(f"{field.name}_{n}" for n in range(2, MOST_FILES + 1))]
