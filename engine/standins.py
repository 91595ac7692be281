"""Hand open steps on: to the substitutes of the absent, and from those who have left or changed their department."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from contextlib import suppress
from datetime import date

from engine.client import EngineClient
from engine.errors import NotFound
from engine.rights import ROUTE
from engine.tasks import Task
from engine.variables import from_engine
from orders.persons import Person, Staff
from orders.stage import Route
from orders.standins import NOTE, note, read_note, stand_ins, substituted


def fit_stand_ins(client: EngineClient, routes: Callable[[str], Route], staff: Staff, day: date) -> int:
    """Make the substitutes of that day, and only them, candidates of the open steps; return how many steps changed.

    Safe to repeat. Who has taken a step as a substitute keeps it when the time is over.
    """
    noted = _notes(client)
    if not noted and not substituted(staff, day):
        return 0
    changed = 0
    for task in client.tasks.find(process_definition_key=ROUTE):
        stage = routes(task.definition_id).stage(task.element)
        have = read_note(noted.get((task.instance_id, task.element)), task.id)
        if stage is None or task.assignee in have:
            continue
        want = stand_ins(staff, stage.groups, task.assignee, day)
        if want != have:
            with suppress(NotFound):  # the step was finished meanwhile
                _write(client, task, have, want)
                changed += 1
    return changed


def _write(client: EngineClient, task: Task, have: Mapping[str, str], want: Mapping[str, str]) -> None:
    """Rights first, the note last: what is cut off in between is done again by the next run."""
    for person in sorted(want.keys() - have.keys()):
        client.tasks.add_candidate(task.id, person)
    for person in sorted(have.keys() - want.keys()):
        client.tasks.remove_candidate(task.id, person)
    client.processes.set_variable(task.instance_id, NOTE + task.element, note(task.id, want))


def _notes(client: EngineClient) -> dict[tuple[str, str], object]:
    """Read all notes of running orders: (instance, user task) -> text."""
    query = {"variableNameLike": f"{NOTE}%", "deserializeValues": False}
    rows = client.caller.rows("/variable-instance", query, sort="variableName")
    return {(r["processInstanceId"], r["name"].removeprefix(NOTE)): from_engine(r) for r in rows}


def hand_on(
    client: EngineClient,
    staff: Staff,
    starters: Mapping[str, Iterable[str]],
    day: date,
    *,
    moved: Set[str] = frozenset(),
    kept: Set[str] = frozenset(),
) -> list[str]:
    """Take open steps from people who may not do them any more; return one sentence for each, as the admin account.

    From whom: whoever the staff file does not know (but for `kept`), and of those in `moved` who are no candidates any
    more. To whom: the substitute, else the department; a personal step goes to those who may start its process.
    """
    said = []
    for task in client.tasks.find(assigned=True):
        holder, person = task.assignee or "", staff.find(task.assignee)
        if holder in kept or (person is not None and holder not in moved):
            continue
        links = client.tasks.candidates(task.id)
        if person is not None and (not (links.groups or links.users) or _may(person, links.groups, links.users)):
            continue
        with suppress(NotFound):
            said.append(_hand_on(client, staff, starters, day, task))
    return said


def _hand_on(client: EngineClient, staff: Staff, starters: Mapping[str, Iterable[str]], day: date, task: Task) -> str:
    holder = task.assignee or ""
    heir = _heir(client, staff, day, task)
    if heir is not None:
        client.tasks.assign(task.id, heir.id)
        return f"«{task.name}»: передано от {holder} заместителю {heir.id}"
    if not client.tasks.candidates(task.id).groups:
        for group in starters.get(task.definition_id.split(":")[0], ()):
            client.tasks.add_candidate_group(task.id, group)
    client.tasks.unclaim(task.id)
    return f"«{task.name}»: возвращено от {holder} в отдел"


def _heir(client: EngineClient, staff: Staff, day: date, task: Task) -> Person | None:
    """Return the substitute who may do the step: by the note on it, else by the staff file."""
    links = client.tasks.candidates(task.id)
    noted = read_note(_note_of(client, task), task.id)
    ranked = [staff.find(who) for who, whom in noted.items() if whom == task.assignee]
    ranked += staff.substitutes(task.assignee or "", day)
    present = [p for p in ranked if p is not None and p.present(day) and _may(p, links.groups, links.users)]
    return next(iter(present), None)


def _note_of(client: EngineClient, task: Task) -> object:
    try:
        return client.tasks.variable(task.id, NOTE + task.element)
    except NotFound:
        return None


def _may(person: Person, groups: Iterable[str], users: Iterable[str]) -> bool:
    return person.id in set(users) or not set(groups).isdisjoint(person.groups)
