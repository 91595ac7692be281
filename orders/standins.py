"""Who does an absent person's steps, and the note on an open step that says for whom.

The note is a variable of the order, `standIn_{user task id}` = JSON {"task": engine task id, "for": {substitute:
absent person}}; the server reads it when the step is completed. A note of an earlier visit counts as none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date

from orders.persons import Staff

NOTE = "standIn_"


def stand_ins(staff: Staff, groups: Iterable[str], assignee: str | None, day: date) -> dict[str, str]:
    """Return who stands in at an open step on a day: substitute -> absent person.

    A held step: the substitutes of its absent holder. A free one: outsiders who stand in for absent members.
    """
    if assignee:
        holder = staff.find(assignee)
        if holder is None or holder.present(day):
            return {}
        return {person.id: assignee for person in staff.substitutes(assignee, day)}
    members = staff.members(*groups)
    found: dict[str, str] = {}
    for member in (m for m in members if not m.present(day)):
        for person in staff.substitutes(member.id, day):
            if person not in members:
                found.setdefault(person.id, member.id)
    return found


def note(task: str, stand_in: Mapping[str, str]) -> str:
    """Return the text of a step's note."""
    return json.dumps({"task": task, "for": dict(sorted(stand_in.items()))})


def read_note(text: object, task: str) -> dict[str, str]:
    """Read the note of that visit: substitute -> absent person; empty where it is of another one or not readable."""
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or found.get("task") != task or not isinstance(found.get("for"), dict):
        return {}
    return {str(who): str(whom) for who, whom in found["for"].items()}


def substituted(staff: Staff, day: date) -> bool:
    """Tell whether anybody is substituted on a day."""
    return any(day in entry.period for person in staff.persons for entry in person.substitutes)
