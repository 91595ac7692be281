"""The one way in which an answer from the portal, whichever door it came through, completes a step as that person.

Files are judged first, then the order's lease is taken, the step is looked at again, and the engine's task is completed
on the person's behalf. A refusal is one plain sentence and changes nothing; a repeat of an answer that was taken is
told apart from one that came too late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

import structlog

from bitrix_sync.leases import wait_for_lease
from engine.client import EngineClient
from engine.errors import BadRequest, EngineDown, Forbidden, NotFound, ServerError, StaleVisit
from engine.submit import submit
from engine.variables import FileValue
from ledger import Ledger
from orders.access import may_do
from orders.attachment_info import MOST_FILES, info_text, judged
from orders.dates import long_moment
from orders.errors import Refused
from orders.persons import Staff
from orders.ports import Engine, Judge
from orders.reply import Reply, SentFile, files_of, texts_of
from orders.snapshot import OpenVisit, OrderSnapshot, VisitDone
from orders.stage import Field, Route, Stage

NO_CREATOR = "Заказы заводят только сотрудники, которым это разрешено"
LEASE_WAIT = 10.0  # seconds to wait for a repair of the order that is under way
UNKNOWN = "Такого шага нет: откройте ссылку из своей задачи в Битрикс24"
FOREIGN = "Этот шаг выполняет другой отдел: ответ не принят"
CLOSED = "Этот шаг больше не нужен: заказ пошёл дальше без него"
OPENING = "Этот шаг ещё открывается: ответ будет принят через минуту"
BUSY = "Заказ как раз обновляется: нажмите ещё раз через несколько секунд"

log = structlog.get_logger(__name__)


class AlreadyDone(Refused):
    """Somebody else was faster; the sentence says who and when."""

    def __init__(self, done: VisitDone, zone: tzinfo) -> None:
        self.done = done
        super().__init__(f"Шаг уже выполнен: {done.person_name}, {long_moment(done.at, zone)}")


class NotEntitled(Refused):
    """This person may not start orders; the sentence says so."""


class StillOpening(Refused):
    """The step is not open in the engine yet; the same answer is good in a moment."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer that stands. `repeated`: it had been taken before, this is the same person's again."""

    person_name: str
    at: datetime | None
    repeated: bool = False


class Desk:
    """Takes answers. `newest_route` gives the deployed route that new orders take; `lease_seconds` = LOCK_SECONDS.

    Safe to use from many threads.
    """

    def __init__(
        self,
        engine: Engine,
        client: EngineClient,
        ledger: Ledger,
        staff: Staff,
        judge: Judge,
        *,
        zone: tzinfo,
        newest_route: Callable[[], Route],
        lease_seconds: float = 30.0,
    ) -> None:
        self.engine, self.staff, self.zone, self.newest_route = engine, staff, zone, newest_route
        self._client, self._ledger, self._judge, self._lease_seconds = client, ledger, judge, lease_seconds

    def find(self, visit: str) -> OrderSnapshot | None:
        """Return the order that a visit belongs to, None for one that never was."""
        try:
            return self.engine.snapshot(self._client.history.activity(visit).instance_id)
        except NotFound:
            return None

    def stage(self, order: OrderSnapshot, visit: str) -> Stage | None:
        """Return the stage of a visit, open or done."""
        tasks = {v.visit: v.task_id for v in order.done} | {v.visit: v.task_id for v in order.open}
        task = tasks.get(visit)
        return self.engine.route(order.definition_id).stage(task) if task else None

    def submit(self, visit: str, person: str, reply: Reply) -> Accepted:
        """Complete a step as a person of the staff file. Raises Refused with the sentence, or Transient: try again."""
        order = self.find(visit)
        stage = self.stage(order, visit) if order else None
        if order is None or stage is None:
            raise Refused(UNKNOWN if order is None else CLOSED)
        self._may(order, visit, person)
        values = self._judged(stage.fields, reply)
        with wait_for_lease(self._ledger, order.instance_id, self._lease_seconds, LEASE_WAIT, BUSY):
            return self._complete(self.engine.snapshot(order.instance_id), visit, person, values)

    def submit_held(self, order: OrderSnapshot, visit: str, person: str, reply: Reply) -> Accepted:
        """Do the same for a caller that holds the order's lease and has just read the order."""
        stage = self.stage(order, visit)
        if stage is None:
            raise Refused(CLOSED)
        self._may(order, visit, person)
        return self._complete(order, visit, person, self._judged(stage.fields, reply))

    def _may(self, order: OrderSnapshot, visit: str, person: str) -> None:
        """Refuse early who may not: no file of theirs is judged. What is done already is judged later."""
        opened = _open(order, visit)
        if opened is not None and opened.engine_task is not None and not may_do(opened, self.staff, person):
            raise Refused(FOREIGN)

    def hand_over(self, opened: OpenVisit, person: str) -> bool:
        """Make a person the holder of an open step, whoever held it; False where nothing had to change.

        Raises Refused where the engine does not let them, Transient where it does not answer.
        """
        if opened.engine_task is None or opened.assignee == person:
            return False
        try:
            if opened.assignee is not None:
                self._client.as_person(opened.assignee).tasks.unclaim(opened.engine_task)
            self._client.as_person(person).tasks.claim(opened.engine_task, person)
        except NotFound:
            return False  # done meanwhile
        except (Forbidden, BadRequest, ServerError) as error:
            raise Refused(FOREIGN) from error
        return True

    def start(self, key: str, person: str, route: Route, reply: Reply) -> None:
        """Start an order as a person under a card's key, once. Raises Refused with the sentence, or Transient.

        After a lost receipt the same call finds what it had started.
        """
        values = self._judged(route.start_fields, reply)
        if self.engine.instances_of(key):
            return
        try:
            self._client.as_person(person).processes.start(route.process_id, values, business_key=key)
        except Forbidden as error:
            raise NotEntitled(NO_CREATOR) from error
        log.info("order_started_by_card", order=key, person=person)

    def keep_paper(self, order: OrderSnapshot, variable: str, file: SentFile, by: str, at: datetime) -> None:
        """Keep a file that no step asked for with a running order. Raises Refused with the sentence, or Transient."""
        good, text = self._judge.judge(file.name, file.data)
        if not good:
            raise Refused(text)
        info = info_text(judged(variable, file.data, (good, text)), by, at)
        self.engine.write_paper(order.instance_id, variable, text, file.data, info)

    def _judged(self, fields: Sequence[Field], reply: Reply) -> dict[str, object]:
        values: dict[str, object] = dict(texts_of(fields, reply))
        many = next((f for f in fields if len(reply.files.get(f.name, ())) > MOST_FILES), None)
        if many is not None:
            raise Refused(f"«{many.label}»: файлов больше {MOST_FILES}, приложите меньше")
        for variable, file in files_of(fields, reply):
            good, text = self._judge.judge(file.name, file.data)
            if not good:
                raise Refused(text)
            values[variable] = FileValue(text, file.data)
        return values

    def _complete(self, order: OrderSnapshot, visit: str, person: str, values: dict[str, object]) -> Accepted:
        if (done := next((v for v in order.done if v.visit == visit), None)) is not None:
            return self._again(done, person)
        opened = _open(order, visit)
        if opened is None:
            raise Refused(CLOSED)
        if opened.engine_task is None:
            raise StillOpening(OPENING)
        try:
            submit(self._client.as_person(person), opened, values)
        except StaleVisit:
            return self._late(order, visit, person)
        except EngineDown as error:
            log.warning("answer_unsure", order=order.key, visit=visit, reason=str(error))
            raise
        log.info("answer_taken", order=order.key, step=opened.task_id, person=person)
        return Accepted(self.staff.name(person), None)

    def _late(self, order: OrderSnapshot, visit: str, person: str) -> Accepted:
        now = self.engine.snapshot(order.instance_id)
        if (done := next((v for v in now.done if v.visit == visit), None)) is not None:
            return self._again(done, person)
        raise Refused(CLOSED)

    def _again(self, done: VisitDone, person: str) -> Accepted:
        if done.person == person:
            return Accepted(done.person_name, done.at, repeated=True)
        raise AlreadyDone(done, self.zone)


def _open(order: OrderSnapshot, visit: str) -> OpenVisit | None:
    return next((v for v in order.open if v.visit == visit), None)
