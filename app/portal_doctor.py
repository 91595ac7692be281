"""`bitrix doctor`: look a portal over from outside, one line a matter, each with its remedy. Nothing is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from app.commands.common import local
from app.doctor import Line, State
from app.hooks import LAST_EVENT, PATH
from app.portal_setup import owner_name, portal_of, portal_route
from app.wiring import Parts
from bitrix_sync.client import PortalClient, rows_of
from bitrix_sync.envelope import Answer
from bitrix_sync.errors import AccessLost, HeldBack, Limited, Moved, NotExecuted, PortalRefused, UnknownOutcome
from bitrix_sync.notes import user_commands
from bitrix_sync.observe import mark_of
from bitrix_sync.php import as_list, as_map
from bitrix_sync.provision import SCOPES, fit
from bitrix_sync.read_schema import read_schema
from bitrix_sync.schema import PortalSchema
from bitrix_sync.values import instant
from orders.dates import parse_moment
from orders.errors import OrderRouteError

SECONDS = 20.0  # for one matter: a portal that is silent must not hold a person up
SLOW_SECONDS = 3.0
_CLOCK_SECONDS, _CLOCK_FAULT = 5.0, 60.0
_NO_REST = ("free", "project")
_NEW_HOOK = "создайте новый: Разработчикам → Другое → Входящий вебхук, и задайте ORDER_ROUTE_BITRIX_WEBHOOK_URL"

Said = Iterator[tuple[State, str]]


@dataclass(slots=True)
class Look:
    """What the matters share: the portal within a time limit, its owner, and our names in it once they are read."""

    parts: Parts
    portal: PortalClient
    owner: dict[str, Any] = field(default_factory=dict)
    answer: Answer = field(default_factory=Answer)
    seconds: float = 0.0
    at: datetime | None = None  # when the answer came, by our clock
    schema: PortalSchema | None = None

    def bound(self) -> PortalClient:
        """Return the portal for one matter."""
        return self.portal.bound(deadline=time.monotonic() + SECONDS)


def examine_portal(parts: Parts) -> list[Line]:
    """Return the lines; where the webhook is not let in there is one line only, since nothing else can be seen."""
    look = Look(parts, portal_of(parts))
    begun = time.monotonic()
    try:
        look.answer = look.bound().call("profile")
    except OrderRouteError as error:
        return [Line("fault", "Доступ", why_not(error, look.portal.portal))]
    look.seconds, look.at, look.owner = time.monotonic() - begun, datetime.now(UTC), as_map(look.answer.result)
    lines: list[Line] = []
    for what, matter in _MATTERS:
        try:
            lines += [Line(state, what, says) for state, says in matter(look)]
        except OrderRouteError as error:
            lines.append(Line("fault", what, why_not(error, look.portal.portal)))
    return lines


def why_not(error: OrderRouteError, portal: str) -> str:
    """Return one sentence about a portal that does not answer as it should, with what to do."""
    if isinstance(error, Moved):
        where = str(error).rpartition(" ")[2]
        return f"портал переехал на {where}: задайте новый адрес в ORDER_ROUTE_BITRIX_WEBHOOK_URL"
    if isinstance(error, AccessLost):
        return _not_let_in(error, portal)
    if isinstance(error, PortalRefused) and error.code == "INVALID_REQUEST":
        return f"портал {portal} принимает вебхук только по https: исправьте ORDER_ROUTE_BITRIX_WEBHOOK_URL"
    if isinstance(error, NotExecuted) and not isinstance(error, Limited | HeldBack):
        return f"с порталом {portal} нет связи: проверьте сеть и адрес в ORDER_ROUTE_BITRIX_WEBHOOK_URL"
    if isinstance(error, UnknownOutcome):
        return f"{error}: проверьте портал {portal} в браузере и сеть"
    return str(error)


def _not_let_in(error: AccessLost, portal: str) -> str:
    if error.status == 404:
        return f"по адресу вебхука на {portal} REST не отвечает: проверьте адрес, нужен https://портал/rest/НОМЕР/КЛЮЧ/"
    if error.code == "ACCESS_DENIED":
        return f"тариф портала {portal} не даёт REST: нужен платный тариф"
    if error.code in ("insufficient_scope", "INVALID_CREDENTIALS"):
        return f"портал {portal} не даёт вебхуку прав ({error.code}): {_NEW_HOOK}"
    return f"портал {portal} не знает этого вебхука, он отозван или записан с ошибкой: {_NEW_HOOK}"


def _access(look: Look) -> Said:
    name = owner_name(look.owner)
    says = f"портал {look.portal.portal} отвечает за {look.seconds:.1f} с, вебхук: {name or look.portal.user_id}"
    if look.seconds > SLOW_SECONDS:
        yield "warning", f"{says}; это медленно: карточки будут отставать, шаги идут в Tasklist"
    else:
        yield "ok", says
    person = look.parts.staff.of_bitrix(look.portal.user_id)
    if person is not None:
        yield (
            "warning",
            f"вебхук принадлежит сотруднику ({person.name}): его правки не отличить от наших, заведите для "
            "интеграции отдельного пользователя",
        )


def _plan(look: Look) -> Said:
    answer = look.bound().ask("app.info")  # the documents offer it to applications, not to webhooks
    told = as_map(answer.result) if answer else {}
    family = str(told.get("LICENSE_FAMILY") or told.get("LICENSE") or "")
    if not family:
        yield "ok", "тариф вебхуку не называется; REST отвечает, значит входит в него"
    elif family.lower() in _NO_REST:
        yield "fault", f"тариф {family} без REST: нужен платный"
    else:
        yield "ok", f"тариф {family}"


def _rights(look: Look) -> Said:
    scopes = {str(each) for each in as_list(look.bound().call("scope").result)}
    missing = [each for each in SCOPES if each not in scopes] + ([] if scopes & {"user", "user_brief"} else ["user"])
    if missing:
        yield "fault", f"вебхуку не даны права {', '.join(missing)}: отметьте их в настройках вебхука"
    else:
        yield "ok", "прав вебхука хватает"
    if look.owner.get("ADMIN") is True:
        yield "ok", "владелец вебхука администратор"
    else:
        yield "fault", "владелец вебхука не администратор: дайте ему права администратора портала"


def _names(look: Look) -> Said:
    route, deployed = portal_route(look.parts)
    number = look.parts.settings.bitrix_entity_type_id
    if not deployed:
        yield "warning", "движок не отвечает: колонки и поля сверены с диаграммой из файла"
    client = look.bound()
    look.schema = read_schema(client, route, entity_type_id=number)
    fitted = fit(client, route, entity_type_id=number, dry_run=True)
    yield "ok", f"смарт-процесс {look.schema.entity_type_id}: колонок {len(look.schema.columns)}, поля на месте"
    if fitted.changes:
        yield "warning", f"отличается от диаграммы: {'; '.join(fitted.changes)}. Запустите order-route bitrix setup"
    for each in fitted.kept:
        yield "warning", each


def _people(look: Look) -> Said:
    staff = look.parts.staff
    known = [p for p in staff.persons if p.bitrix_id is not None]
    answers = look.bound().batch(user_commands([p.bitrix_id for p in known if p.bitrix_id is not None]))
    rows = {int(row["ID"]): row for name in answers.names() for row in answers.rows(name)}
    unknown = [p.name for p in known if p.bitrix_id not in rows]
    gone = [p.name for p in known if (row := rows.get(p.bitrix_id or 0)) and row.get("ACTIVE") not in _YES]
    nameless = [p.name for p in staff.persons if p.bitrix_id is None]
    for people, what in ((unknown, "портал не знает"), (gone, "в портале уволены"), (nameless, "без номера Битрикс24")):
        if people:
            yield "warning", f"{what}: {', '.join(people)}. Исправьте файл сотрудников, до тех пор их замещают"
    works = {p.id for p in known if p.bitrix_id in rows and p.name not in gone}
    for group, title in staff.groups.items():
        members = staff.members(group)
        if members and not any(p.id in works for p in members):
            yield "fault", f"{title}: в портале никого, задачи этого отдела ставить некому"
    if works and len(works) == len(staff.persons):
        yield "ok", f"все {len(works)} сотрудников работают в портале"


_YES = (True, "Y", "true", 1, "1")


def _clock(look: Look) -> Said:
    told = look.answer.at
    if told is None or look.at is None:
        yield "warning", "портал не называет своё время"
        return
    there, here = parse_moment(told, look.parts.settings.zone), look.at
    apart = abs((there - here).total_seconds())
    state: State = "ok" if apart <= _CLOCK_SECONDS else "warning" if apart <= _CLOCK_FAULT else "fault"
    remedy = "" if state == "ok" else ": включите сверку времени (chrony) на этом компьютере"
    yield state, f"часы портала и этого компьютера расходятся на {apart:.0f} с{remedy}"
    own = here.astimezone(look.parts.settings.zone).utcoffset()
    theirs = datetime.fromisoformat(told).utcoffset()
    if own != theirs:
        zone = look.parts.settings.time_zone
        yield "warning", f"пояс портала {told[-6:]}, цеха {zone}: люди видят сроки по времени портала, это не ошибка"


def _tasks(look: Look) -> Said:
    query = {"order": {"ID": "DESC"}, "filter": {"CREATED_BY": look.portal.user_id}, "start": -1}
    rows = rows_of(look.bound().call("tasks.task.list", query), "tasks")
    ours = [row for row in rows if mark_of(str(row.get("description") or ""))] or rows
    if any(str(row.get("taskRequireResult")) == "Y" for row in ours[:5]):
        yield "warning", "портал требует результат в каждой задаче: выключите это в настройках задач"
    else:
        yield "ok", "результат задачи не обязателен" if ours else "задач ещё не было"


def _time_filter(look: Look) -> Said:
    """Try the filter by time on a known card: polling may use it, but never takes its silence for a proof."""
    if look.schema is None:
        return
    base = {"entityTypeId": look.schema.entity_type_id, "order": {"id": "DESC"}, "start": 0}
    client = look.bound()
    newest = rows_of(client.call("crm.item.list", base), "items")
    if not newest:
        yield "ok", "карточек ещё нет"
        return
    changed = instant(newest[0].get("updatedTime"))
    since = (changed - timedelta(minutes=1)).isoformat() if changed else ""
    found = rows_of(client.call("crm.item.list", base | {"filter": {">=updatedTime": since}}), "items")
    if any(row.get("id") == newest[0].get("id") for row in found):
        yield "ok", "отбор карточек по времени работает"
    else:
        yield "warning", "портал не отбирает карточки по времени: изменения находит только общая сверка"


def _rate(look: Look) -> Said:
    s = look.parts.settings
    slowed = look.parts.ledger.slowed(look.portal.portal)
    says = f"{s.bitrix_rate:g} запросов в секунду, подряд {s.bitrix_burst}"
    if slowed:
        yield (
            "warning",
            f"портал просил ждать: ещё {slowed:.0f} с идёт вдвое медленнее, уменьшите ORDER_ROUTE_BITRIX_RATE",
        )
    else:
        yield "ok", f"{says}; портал ждать не просит"


def _events(look: Look) -> Said:
    s = look.parts.settings
    found = f"изменения находит опрос раз в {s.bitrix_poll_seconds} с"
    if not s.application_tokens or s.public_url is None:
        yield (
            "warning",
            f"события не принимаются, {found}: задайте ORDER_ROUTE_PUBLIC_URL и ORDER_ROUTE_BITRIX_APPLICATION_TOKEN",
        )
        return
    address = f"{s.public_url}{PATH}"
    try:
        with requests.Session() as session:
            session.trust_env = False
            form = {"event": "DOCTOR"}
            status = session.post(address, data=form, timeout=(3.05, 5.0), allow_redirects=False).status_code
    except requests.RequestException as error:
        yield "fault", f"{address} отсюда не открывается ({type(error).__name__}): {found}; проверьте web и прокси"
        return
    if status != 403:
        yield "fault", f"{address} отвечает {status} вместо 403: запрос доходит не до order-route, проверьте прокси"
        return
    seen = look.parts.ledger.cursor(LAST_EVENT)
    if seen is None:
        yield "warning", f"{address} открывается, но событий ещё не было: сверьте адрес и токен исходящего вебхука"
    else:
        yield "ok", f"{address} открывается, последнее событие {local(datetime.fromisoformat(seen), s.zone)}"


_MATTERS: tuple[tuple[str, Callable[[Look], Said]], ...] = (
    ("Доступ", _access),
    ("Тариф", _plan),
    ("Права", _rights),
    ("Колонки и поля", _names),
    ("Сотрудники", _people),
    ("Часы", _clock),
    ("Задачи", _tasks),
    ("Отбор по времени", _time_filter),
    ("События", _events),
    ("Частота", _rate),
)
