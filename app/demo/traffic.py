"""What each request in the portal's log was for: step, new file, other change, answer, notice, look, repeat, set-up.

A pure reading of the log's lines. Whatever is not proven to be something else counts for the steps, so that the number
of a step is never flattered. Downloads are no REST calls and do not stand in the log.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

STEP_NORM, FILE_NORM = 4, 3  # requests for a person's step without new files, and more for each new file
_US = 1  # the portal user of our webhook
_SET_UP = re.compile(r"(userfieldconfig|crm\.(type|category|status|item\.fields)|disk\.storage|profile|scope|event)\b")
_LISTED = "crm.item.list"  # alone it is the set-up's question whether a column is empty
_LOOK = re.compile(r"(cards|strangers|said)\d+|made|newest|finished")  # the names of calls in a poll or a sweep
_LOOK_UPS = {  # what asks whether a create was done whose answer was lost: the calls in its batch
    "crm.item.add": {"found"},
    "crm.timeline.comment.add": {"comments", "lines"},
    "crm.timeline.logmessage.add": {"comments", "lines"},
}
_MARK = re.compile(r"· (.+?)[/:][^\n]*$")

_ANSWER = re.compile(r"tasks\.task\.result\.list|disk\.attachedObject\.get|tasks\.task\.renew")

Line = Mapping[str, Any]


class Purpose(Enum):
    """What a request was for."""

    STEP = "step"
    FILE = "file"
    CHANGE = "change"  # a card brought up to what is no step: a flag, a moved date, a drag
    ANSWER = "answer"  # taking what a person answered in the portal
    NOTICE = "notice"
    LOOK = "look"
    REPEAT = "repeat"
    SET_UP = "set-up"


_WORDS = {
    Purpose.CHANGE: "другие перемены карточек",
    Purpose.ANSWER: "приём ответов из портала",
    Purpose.NOTICE: "уведомления",
    Purpose.LOOK: "опросы и сверки",
    Purpose.REPEAT: "повторы после обрыва",
    Purpose.SET_UP: "подготовка",
}


@dataclass(frozen=True, slots=True)
class Spent:
    """Requests by purpose, and how many new files went to the portal."""

    requests: Counter[Purpose]
    files: int

    def words(self, steps: int) -> list[str]:
        """Say it in two lines; `steps` that people took, the start of an order being one."""
        step = _number(self.requests[Purpose.STEP] / max(1, steps))
        file = _number(self.requests[Purpose.FILE] / max(1, self.files))
        rest = ", ".join(f"{word} {self.requests[purpose]}" for purpose, word in _WORDS.items())
        return [
            f"Запросов к порталу: на шаг {step} (норма {STEP_NORM}), на новый файл ещё {file} (норма {FILE_NORM}).",
            f"Кроме них: {rest}.",
        ]


@dataclass(frozen=True, slots=True)
class _Request:
    """One request of ours; `calls`: (name, method, params) of those inside a batch."""

    method: str
    params: Mapping[str, Any]
    lost: bool
    calls: tuple[tuple[str, str, Mapping[str, Any]], ...]

    @property
    def names(self) -> set[str]:
        return {name for name, _, _ in self.calls}

    @property
    def parts(self) -> list[tuple[str, Mapping[str, Any]]]:
        return [(method, params) for _, method, params in self.calls] or [(self.method, self.params)]

    @property
    def turns_a_step(self) -> bool:
        """Tell whether a task is made or closed, or a card is made."""
        return self.method in ("tasks.task.add", "crm.item.add") or any(n.startswith("close") for n in self.names)

    @property
    def identity(self) -> str:
        return json.dumps([self.method, self.parts], sort_keys=True, default=str)


def spent(lines: Iterable[Line]) -> Spent:
    """Tell what our requests were for, from the lines of the sandbox portal's log, oldest first."""
    requests = list(_requests(lines))
    purposes = _purposes(requests)
    files = sum(
        purpose is Purpose.FILE and request.method == "disk.folder.uploadfile"
        for request, purpose in zip(requests, purposes, strict=True)
    )
    return Spent(Counter(purposes), files)


def _requests(lines: Iterable[Line]) -> Iterator[_Request]:
    """Put the calls of each batch, which follow it in the log, into it."""
    ours = [line for line in lines if line["user"] == _US]
    starts = [n for n, line in enumerate(ours) if line["batch"] is None]
    for at, end in zip(starts, [*starts, len(ours)][1:], strict=True):
        calls = tuple((str(each["batch"]), each["method"], each["params"]) for each in ours[at + 1 : end])
        yield _Request(ours[at]["method"], ours[at]["params"], ours[at]["fault"] is not None, calls)


def _purposes(requests: Sequence[_Request]) -> list[Purpose]:
    orders = _orders(requests)
    lost: Counter[str] = Counter()
    passes: dict[str, list[int]] = {}  # order -> the places of the last look at it and of what came of it
    found: list[Purpose] = []
    for place, request in enumerate(requests):
        purpose = Purpose.REPEAT if _repeats(request, lost) else _purpose(request)
        if request.lost:
            lost[request.identity] += 1
            lost[request.method] += request.method in _LOOK_UPS or request.method.startswith("disk.")
        found.append(purpose)
        key = _order(request, orders)
        if key is None or purpose in (Purpose.REPEAT, Purpose.NOTICE):
            continue
        if "found" in request.names:
            _settle(passes.pop(key, []), requests, found)
            passes[key] = [place]
        elif key in passes:
            passes[key].append(place)
    for places in passes.values():
        _settle(places, requests, found)
    return found


def _settle(places: Sequence[int], requests: Sequence[_Request], found: list[Purpose]) -> None:
    """Judge a look at one order by what came of it: a step opens or closes a task, all else is another change."""
    came = {found[place] for place in places[1:]}
    if not came:
        return
    step = any(requests[place].turns_a_step for place in places)
    change = Purpose.STEP if step else Purpose.CHANGE
    found[places[0]] = Purpose.ANSWER if Purpose.ANSWER in came and not step else change
    for place in places[1:]:
        if found[place] is Purpose.STEP:
            found[place] = change


def _repeats(request: _Request, lost: Counter[str]) -> bool:
    """Tell whether a request repeats one whose answer was lost, or asks whether that one was done."""
    asks = [create for create, names in _LOOK_UPS.items() if request.names == names]
    if request.method == "disk.folder.getchildren":
        asks = [each for each in lost if each.startswith("disk.")]
    for each in (request.identity, *asks):
        if lost[each] > 0:
            lost[each] -= 1
            return True
    return False


def _purpose(request: _Request) -> Purpose:
    """Judge a request by itself; a look at one order is no more than that until something comes of it."""
    if "found" in request.names or any(_LOOK.fullmatch(name) for name in request.names):
        return Purpose.LOOK
    methods = [method for method, _ in request.parts]
    if all(_SET_UP.match(method) for method in methods) or methods == [_LISTED]:
        return Purpose.SET_UP
    if methods == ["im.notify.personal.add"]:
        return Purpose.NOTICE
    if all(_ANSWER.fullmatch(method) for method in methods):
        return Purpose.ANSWER
    if all(method.startswith("disk.") for method in methods) or _carries_file(request.params):
        return Purpose.FILE
    return Purpose.STEP


def _carries_file(value: Any) -> bool:
    """Tell whether a file's content is somewhere in these parameters; the log holds its size and SHA-256."""
    if isinstance(value, Mapping):
        return "sha256" in value or any(map(_carries_file, value.values()))
    return isinstance(value, list) and any(map(_carries_file, value))


def _orders(requests: Sequence[_Request]) -> dict[tuple[str, str], str]:
    """Learn from the looks at single orders whose card is whose, and from the writes beside a card whose task."""
    known: dict[tuple[str, str], str] = {}
    for request in requests:
        if "found" in request.names and "item" in request.names:
            card = next(str(params["id"]) for name, _, params in request.calls if name == "item")
            known["card", card] = _order(request, {}) or ""
    for request in requests:
        key = next((known.get(("card", str(p.get("id")))) for m, p in request.parts if m == "crm.item.update"), None)
        if key:
            known |= {("task", str(params["taskId"])): key for _, params in request.parts if "taskId" in params}
    return known


def _order(request: _Request, known: Mapping[tuple[str, str], str]) -> str | None:
    """Return the number of the order that a request is about, None where it does not tell."""
    for method, params in request.parts:
        fields = params.get("fields") or {}
        named = params.get("filter", {}).get("=xmlId") or fields.get("xmlId") or fields.get("XML_ID") or ""
        mark = _MARK.search(str(fields.get("COMMENT") or fields.get("text") or ""))
        key = str(named).removeprefix("order:").partition(":task:")[0] or (mark[1] if mark else "")
        key = key or known.get(("task", str(params.get("taskId"))), "")
        if method == "crm.item.update":
            key = key or known.get(("card", str(params.get("id"))), "")
        if key:
            return key
    return None


def _number(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")
