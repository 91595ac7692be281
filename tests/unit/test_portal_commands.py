"""`bitrix setup` touches nothing but its own smart process and tells the rest; `bitrix doctor` names each trouble.

No secret is ever shown. The engine is away here: both commands then use the diagram of the files and say so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
import structlog
from mirrored import the_route, the_staff
from portal import LocalPortal, wait_until
from pydantic import SecretStr
from typer.testing import CliRunner

from app.cli import cli
from app.hooks import LAST_EVENT, add_hooks, into_inbox
from app.sandbox import portal_people
from app.web import public_site, serve
from bitrix_sync.client import PortalClient
from bitrix_sync.provision import fit, provision
from bitrix_sync.read_schema import TITLE, read_schema
from ledger import Ledger
from orders.stage import Route

ROUTE = the_route()


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[LocalPortal]:
    with LocalPortal(tmp_path / "portal", users=portal_people(the_staff())) as opened:
        yield opened


@pytest.fixture
def client(portal: LocalPortal, tmp_path: Path) -> Iterator[PortalClient]:
    book = Ledger(f"sqlite:///{tmp_path / 'test-ledger.db'}")
    yield PortalClient(SecretStr(portal.webhook_url), book, rate=10_000, burst=10_000)
    book.close()


@pytest.fixture
def shell(portal: LocalPortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    before = structlog.get_config()
    yield Shell(portal, tmp_path, monkeypatch)
    structlog.configure(**before)


class Shell:
    """Runs `order-route bitrix …` on a portal, without an engine."""

    def __init__(self, portal: LocalPortal, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.token = portal.webhook_url.rstrip("/").rpartition("/")[2]
        self.patch = patch
        for name, value in {
            "BITRIX_WEBHOOK_URL": portal.webhook_url,
            "ENGINE_URL": "http://127.0.0.1:9/engine-rest",
            "DATA_DIR": str(folder / "data"),
            "BITRIX_RATE": "1000",
            "BITRIX_BURST": "10000",
        }.items():
            self.set(name, value)
        patch.setattr("bitrix_sync.retry.LADDER_SECONDS", 1.0)

    def set(self, name: str, value: str) -> None:
        self.patch.setenv(f"ORDER_ROUTE_{name}", value)

    def run(self, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["bitrix", *words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert self.token not in done.output
        return done.exit_code, done.output


def everything_else(portal: LocalPortal, own: int | None) -> dict[str, Any]:
    """Return all types, funnels, columns, fields and Drive folders of the portal but those of our smart process."""
    types = [kind for kind in portal.call("crm.type.list")["types"] if kind["entityTypeId"] != own]
    found: dict[str, Any] = {"types": types}
    for kind in types:
        entity = kind["entityTypeId"]
        query = {"moduleId": "crm", "filter": {"entityId": f"CRM_{kind['id']}"}}
        fields = portal.call("userfieldconfig.list", query)["fields"]  # the filter is not promised
        found[f"fields {entity}"] = [each for each in fields if each["entityId"] == f"CRM_{kind['id']}"]
        found[f"funnels {entity}"] = portal.call("crm.category.list", {"entityTypeId": entity})
    ours = f"DYNAMIC_{own}_"
    found["columns"] = [row for row in portal.call("crm.status.list") if not row["ENTITY_ID"].startswith(ours)]
    return found


def furnish_others(portal: LocalPortal) -> None:
    """Give the portal a life of its own: processes of other people, one with our title, one with our codes."""
    for title, code in ((TITLE, "NUMBER"), ("Закупки", "ORDER_KEY")):
        fields = {"title": title, "isStagesEnabled": "Y", "isCategoriesEnabled": "Y"}
        kind = portal.call("crm.type.add", {"fields": fields})["type"]
        name = f"UF_CRM_{kind['id']}_{code}"
        field = {"entityId": f"CRM_{kind['id']}", "fieldName": name, "userTypeId": "string", "xmlId": "number"}
        portal.call("userfieldconfig.add", {"moduleId": "crm", "field": field})
        entity = kind["entityTypeId"]
        funnel = portal.call("crm.category.add", {"entityTypeId": entity, "fields": {"name": "Вторая"}})["category"]
        column = {"ENTITY_ID": f"DYNAMIC_{entity}_STAGE_{funnel['id']}", "STATUS_ID": "DESIGN", "NAME": "Эскиз"}
        portal.call("crm.status.add", {"fields": column | {"SORT": 15}})


def columns_of_portal(portal: LocalPortal, entity: int, category: int) -> list[tuple[str, str]]:
    query = {"filter": {"ENTITY_ID": f"DYNAMIC_{entity}_STAGE_{category}"}, "order": {"SORT": "ASC"}}
    rows = portal.call("crm.status.list", query)
    return [(row["STATUS_ID"].rpartition(":")[2], row["NAME"]) for row in rows]


def changed(route: Route) -> Route:
    """Return the route as an analyst changed it: one stage renamed, one taken out, one new in the middle."""
    first, second, *rest = route.stages
    new = replace(second, task_id="UserTask_CheckDrawing", code="check", label="Проверка чертежа", fields=())
    renamed = replace(first, label="Исправить заявку")
    return replace(route, stages=(renamed, new, *rest))


def test_nothing_but_its_own_process_is_changed(portal: LocalPortal, client: PortalClient, shell: Shell) -> None:
    furnish_others(portal)
    before = everything_else(portal, None)
    code, said = shell.run("setup")
    assert code == 0, said
    entity = read_schema(client, ROUTE).entity_type_id
    assert everything_else(portal, entity) == before
    portal.call("crm.type.update", {"id": read_schema(client, ROUTE).type_id, "fields": {"title": "Мебель"}})
    writes = len(portal.log(applied=True))
    code, said = shell.run("setup")
    assert (code, "менять нечего" in said) == (0, True), said
    assert len(portal.log(applied=True)) == writes, "a renamed process is found by its field"
    fit(client, changed(ROUTE))
    assert everything_else(portal, entity) == before


def test_a_dry_run_says_all_and_writes_nothing(portal: LocalPortal, shell: Shell) -> None:
    code, said = shell.run("setup", "--dry-run")
    assert code == 0 and portal.log(applied=True) == []
    for word in ("новый смарт-процесс", "«Согласование у директора» (approve)", "(estimateSum)", "«Заказы»"):
        assert word in said
    for point in ("1. ", "Права доступа", "Перевод на стадию", portal.url, "Ирина Соколова", "Портал Интеграция"):
        assert point in said
    promised = {line.strip() for line in said.splitlines() if line.startswith("  ")}
    code, said = shell.run("setup")
    done = {line.strip() for line in said.splitlines() if line.startswith("  ")}
    assert code == 0 and "Отгружен и закрыт" in said
    assert {line for line in promised if "колонка портала" not in line} <= done
    assert all("колонка портала" in extra or "Отгружен" in extra for extra in done - promised)


def test_a_changed_diagram_adds_and_renames_and_keeps_columns(portal: LocalPortal, client: PortalClient) -> None:
    schema = provision(client, ROUTE)
    second = ROUTE.stages[1]
    made = {"title": "В работе", "stageId": schema.columns[second.code], "categoryId": schema.category_id}
    portal.call("crm.item.add", {"entityTypeId": schema.entity_type_id, "fields": made})
    promised = fit(client, changed(ROUTE), dry_run=True)
    done = fit(client, changed(ROUTE))
    assert done.changes == promised.changes
    assert any("Исправить заявку" in line for line in done.changes)
    assert any(second.label in line and "карточек в ней 1" in line for line in done.kept)
    shown = dict(columns_of_portal(portal, schema.entity_type_id, schema.category_id))
    assert shown[ROUTE.stages[0].code.upper()] == "Исправить заявку"
    assert shown["CHECK"] == "Проверка чертежа" and shown[second.code.upper()] == second.label
    assert fit(client, changed(ROUTE)).changes == ()


def test_a_second_funnel_of_people_is_left_alone(portal: LocalPortal, client: PortalClient) -> None:
    schema = provision(client, ROUTE)
    fields = {"name": "Гарантия", "isDefault": "Y", "sort": 1}
    portal.call("crm.category.add", {"entityTypeId": schema.entity_type_id, "fields": fields})
    assert fit(client, ROUTE).changes == ()
    assert provision(client, ROUTE) == schema


def test_a_first_column_with_cards_stays(portal: LocalPortal, client: PortalClient) -> None:
    fields = {"title": TITLE, "isStagesEnabled": "Y", "isCategoriesEnabled": "Y"}
    kind = portal.call("crm.type.add", {"fields": fields})["type"]
    portal.call("crm.item.add", {"entityTypeId": kind["entityTypeId"], "fields": {"title": "Чужая"}})
    schema = provision(client, ROUTE)
    assert schema.entity_type_id == kind["entityTypeId"], "a begun process of ours is finished"
    shown = dict(columns_of_portal(portal, schema.entity_type_id, schema.category_id))
    assert shown["NEW"] == "Не используется" and "PREPARATION" not in shown
    assert fit(client, ROUTE).changes == ()


def test_doctor_finds_a_good_portal_good(portal: LocalPortal, client: PortalClient, shell: Shell) -> None:
    provision(client, ROUTE)
    code, said = shell.run("doctor")
    assert code == 0, said
    for line in (
        "в порядке",
        "REST отвечает",
        "прав вебхука хватает",
        "владелец вебхука администратор",
        "сотрудников",
    ):
        assert line in said, said
    assert "сбой" not in said


def test_doctor_names_what_is_missing(portal: LocalPortal, client: PortalClient, shell: Shell) -> None:
    schema = provision(client, ROUTE)
    listed = portal.call("userfieldconfig.list", {"moduleId": "crm", "filter": {"xmlId": "estimateSum"}})
    portal.call("userfieldconfig.delete", {"moduleId": "crm", "id": listed["fields"][0]["id"]})
    columns = portal.call("crm.status.list", {"filter": {"STATUS_ID": schema.columns["invoice"]}})
    portal.call("crm.status.delete", {"id": columns[0]["ID"]})
    people = the_staff().members("accounting")
    portal.set_users([{"id": p.bitrix_id, "active": False} for p in people])
    portal.set_users([{"id": 1, "admin": False}])
    code, said = shell.run("doctor")
    assert code == 1
    for word in ("estimateSum", "Выставление счёта", "bitrix setup", "уволены", people[0].name, "не администратор"):
        assert word in said, said
    assert "бухгалтерия: в портале никого" in said


def test_doctor_names_a_person_whom_the_portal_does_not_know(
    portal: LocalPortal, client: PortalClient, shell: Shell, tmp_path: Path
) -> None:
    provision(client, ROUTE)
    staff = tmp_path / "staff.toml"
    text = Path("config/staff.toml").read_text(encoding="utf-8")
    staff.write_text(text.replace("bitrix = 102", "bitrix = 9999"), encoding="utf-8")
    shell.set("STAFF_FILE", str(staff))
    code, said = shell.run("doctor")
    assert "портал не знает: Наталья Белова" in said and code == 0, said


def test_doctor_tells_a_foreign_zone_from_a_wrong_clock(
    portal: LocalPortal, client: PortalClient, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision(client, ROUTE)
    portal.settings(offset="+10:00")
    code, said = shell.run("doctor")
    assert code == 0 and "+10:00" in said and "chrony" not in said, said
    monkeypatch.setattr("app.portal_doctor.datetime", SlowClock)
    code, said = shell.run("doctor")
    assert code == 1 and "расходятся на" in said and "chrony" in said, said


class SlowClock(datetime):
    """A clock five minutes behind."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> SlowClock:
        return cls.fromtimestamp(time.time() - 300, tz)


def test_doctor_tries_the_door_of_events(
    portal: LocalPortal, client: PortalClient, shell: Shell, tmp_path: Path
) -> None:
    provision(client, ROUTE)
    _, said = shell.run("doctor")
    assert "события не принимаются" in said
    shell.set("BITRIX_APPLICATION_TOKEN", "s3cret-token")
    shell.set("PUBLIC_URL", portal.url)
    code, said = shell.run("doctor")
    assert code == 1 and "вместо 403" in said and "s3cret" not in said, said
    book = Ledger(f"sqlite:///{tmp_path / 'data' / 'ledger.db'}")
    door = lambda site: add_hooks(site, [SecretStr("s3cret-token")], into_inbox(book))  # noqa: E731 - used once
    site = serve(public_site(list, door), "127.0.0.1:0", "ORDER_ROUTE_WEB_LISTEN")
    shell.set("PUBLIC_URL", f"http://127.0.0.1:{site.port}")
    code, said = shell.run("doctor")
    assert code == 0 and "событий ещё не было" in said, said
    portal.events(f"http://127.0.0.1:{site.port}/hooks/bitrix24", "s3cret-token")
    made = {"title": "Проба"}
    portal.call("crm.item.add", {"entityTypeId": read_schema(client, ROUTE).entity_type_id, "fields": made})
    wait_until("an event", lambda: book.cursor(LAST_EVENT))
    code, said = shell.run("doctor")
    site.close()
    book.close()
    assert code == 0 and "последнее событие" in said, said


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "unauthorized"}, ("отозван", "BITRIX_WEBHOOK_URL")),
        ({"kind": "forbidden"}, ("INVALID_CREDENTIALS",)),
        ({"kind": "redirect", "to": "https://new.bitrix24.ru/rest/"}, ("переехал на new.bitrix24.ru",)),
        ({"kind": "refused"}, ("не ответил",)),
        ({"kind": "html502", "apply": 0.0}, ("не JSON",)),
    ],
)
def test_doctor_says_a_bad_portal_in_one_sentence(
    portal: LocalPortal, shell: Shell, fault: dict[str, Any], words: tuple[str, ...]
) -> None:
    portal.faults(fault)
    code, said = shell.run("doctor")
    assert code == 1 and len(said.strip().splitlines()) == 1, said
    for word in words:
        assert word in said, said


def test_doctor_of_a_wrong_or_absent_webhook(portal: LocalPortal, shell: Shell) -> None:
    shell.set("BITRIX_WEBHOOK_URL", f"{portal.url}/rest/1/wrongwrongwrong/")
    code, said = shell.run("doctor")
    assert code == 1 and "отозван" in said and "wrongwrong" not in said
    portal.stop()
    code, said = shell.run("doctor")
    assert code == 1 and "нет связи" in said and len(said.strip().splitlines()) == 1
    portal.start()
