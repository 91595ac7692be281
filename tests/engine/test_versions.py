"""Rule: an analyst changes the route alone: no line of code, new orders travel the new way, running ones are safe."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chain import Chain, open_chain
from command import Said, run, settings_of
from gate_models import door
from route_edits import VARIANT_FILE, replaced, route_xml, with_technologist
from shop import ROOT, Shop, pdf_file

from engine.deploy import deploy, deployed_starters, folder_files
from engine.errors import EngineError, Forbidden, GateRefused, NotFound
from engine.identity import bootstrap
from engine.migration import Move
from engine.processes import Instance

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
TECHNOLOGIST = "volkov"
NEW_STEP = "UserTask_ApproveTechnology"
ROUTE = "custom-furniture-order"


def folder_with(folder: Path, route: str) -> Path:
    """Return a copy of the analyst's folder with another route in it."""
    shutil.copytree(ROOT / "bpmn", folder, ignore=shutil.ignore_patterns("*.svg", "pictures", "variants"))
    (folder / f"{ROUTE}.bpmn").write_text(route, encoding="utf-8")
    return folder


def staff_with_technologists(path: Path) -> Path:
    """Return a copy of the staff file with one department more; a designer is its only member."""
    text = (ROOT / "config" / "staff.toml").read_text(encoding="utf-8")
    head, _, rest = text.partition(f'id = "{TECHNOLOGIST}"')
    rest = rest.replace('groups = ["designers"', 'groups = ["technologists", "designers"', 1)
    group = '[[group]]\nid = "technologists"\nname = "технологи"\n\n'
    path.write_text(f'{group}{head}id = "{TECHNOLOGIST}"{rest}', encoding="utf-8")
    assert "technologists" in rest
    return path


@pytest.fixture
def tidy(shop: Shop) -> Iterator[None]:
    """Take away what these tests deploy and whom they put where: the engine is shared."""
    admin = door(shop, "admin")
    kept = {row["id"] for row in admin.rows("/deployment?sortBy=id&sortOrder=asc")}
    yield
    shop.end_everything()
    for row in admin.rows("/deployment?sortBy=id&sortOrder=asc"):
        if row["id"] not in kept:
            assert admin.call("DELETE", f"/deployment/{row['id']}?cascade=true").status_code == 204
    bootstrap(shop.admin, shop.staff, deployed_starters(shop.admin), dict(shop.passwords))


@dataclass
class World:
    """A shop with a portal and a worker, orders under way, and the folder in which an analyst adds an approval."""

    chain: Chain
    env: dict[str, str]
    folder: Path
    old: dict[str, Instance] = field(default_factory=dict)

    def run(self, *arguments: str | Path) -> Said:
        """Run the installed command against this shop."""
        return run(*arguments, env=self.env, seconds=600)


@pytest.fixture
def analyst(shop: Shop, tidy: None, tmp_path: Path) -> Iterator[World]:
    """A shop with a portal, an analyst's folder with an approval more, and no order yet; its worker waits."""
    staff = staff_with_technologists(tmp_path / "staff.toml")
    with open_chain(shop, tmp_path / "chain", lock_seconds=15, staff_file=staff) as chain:
        env = settings_of(shop, tmp_path / "chain") | {
            "ORDER_ROUTE_STAFF_FILE": str(staff),
            "ORDER_ROUTE_BITRIX_WEBHOOK_URL": chain.portal.webhook_url,
            "ORDER_ROUTE_BITRIX_RATE": "100",
            "ORDER_ROUTE_BITRIX_BURST": "1000",
        }
        yield World(chain, env, folder_with(tmp_path / "bpmn", with_technologist()))


@pytest.fixture
def world(analyst: World) -> World:
    """Orders of the old version in every state that moving them could disturb; then the worker goes on."""
    made, chain, shop = analyst, analyst.chain, analyst.chain.shop
    made.old["failed"] = _failed(chain)
    for name in ("due", "flagged", "moved", "suspended"):
        made.old[name] = shop.start_order()
        shop.carry_to(made.old[name], "UserTask_Manufacture")
        chain.parts.cards().recreate(made.old[name].id)  # the stand-in told no portal
    chain.work()
    _move_date(chain, made.old["moved"], timedelta(days=9))
    _move_date(chain, made.old["flagged"], timedelta(seconds=5))
    flagged = made.old["flagged"].id
    chain.wait(lambda: shop.admin.processes.variables(flagged).get("lateFlags"), "the late flag")
    shop.admin.processes.set_suspended([made.old["suspended"].id], True)
    _order_at_the_design(made)
    return made


def _order_at_the_design(world: World) -> None:
    """Start the order that will end on its old version."""
    world.old["finishing"] = order = world.chain.shop.start_order()
    world.chain.carry(order, "ApproveOrder")
    world.chain.step(order, "UserTask_PrepareDesign")


def _failed(chain: Chain) -> Instance:
    """Start an order whose first step has no attempts left before any worker comes."""
    order = chain.shop.start_order()
    (task,) = chain.shop.admin.external.find(processInstanceId=order.id)
    chain.shop.admin.external.set_retries(task.id, 0)
    return order


def _move_date(chain: Chain, order: Instance, promise: timedelta) -> None:
    """Move a date as people do; a promise of a few seconds is broken by the engine's own timer."""
    new = (datetime.now(UTC) + promise).isoformat()
    request = {"orderKey": order.business_key, "newReadyBy": new, "moveReason": "Ждём фурнитуру"}
    chain.shop.person(chain.shop.member("productionDirectors")).processes.start("move-ready-date", request)
    moved = chain.shop.admin.processes.variables
    chain.wait(lambda: moved(order.id).get("moveReason"), "the date moved")


def test_a_new_approval_needs_no_code(analyst: World) -> None:
    """S-60: an edit of the diagram and three commands; a new order passes the step, an old one ends without it."""
    analyst.chain.work()
    _order_at_the_design(analyst)
    _deploy_the_approval(analyst)
    _an_old_order_ends_on_its_old_version(analyst)
    _a_new_order_passes_the_approval(analyst)


@pytest.mark.soak
def test_a_new_approval_needs_no_code_and_running_orders_are_safe(world: World) -> None:
    """One story, since orders end with a test: deploy, an old order ends, the others are moved, a new one passes."""
    _deploy_the_approval(world)
    _an_old_order_ends_on_its_old_version(world)
    _migration_moves_all_and_disturbs_nothing(world)
    _a_new_order_passes_the_approval(world)


def _deploy_the_approval(world: World) -> None:
    """S-60: an analyst copies a stage; department, comparison and deployment are commands."""
    assert world.run("bootstrap").code == 0
    said = world.run("diff", world.folder)
    assert world.run("check", world.folder / f"{ROUTE}.bpmn").code == 0
    assert "добавлен шаг «Согласовать технологию» (технологи, норма 4 ч, файл «Технологическая карта»)" in said.out
    assert f"В работе {len(world.old)} заказ" in said.out
    deployed = world.run("deploy", world.folder)
    assert deployed.code == 0, deployed.text
    assert "Ничего не изменилось" in world.run("diff", world.folder).out


def _a_new_order_passes_the_approval(world: World) -> None:
    """S-60: the new step has form, gate, kanban column, task, deadline and history."""
    chain, shop = world.chain, world.chain.shop
    order = shop.start_order()
    chain.carry(order, "ApproveOrder", "PrepareDesign")
    task = chain.step(order, NEW_STEP)
    assert task.due is not None
    technologist = shop.person(TECHNOLOGIST)
    approval = {"technologyDecision": "approve"}
    with pytest.raises(GateRefused, match="Технологическая карта"):
        technologist.tasks.complete(task.id, approval)
    with pytest.raises(GateRefused, match="причин"):
        technologist.tasks.complete(task.id, {"technologyDecision": "reject"})
    with pytest.raises((Forbidden, NotFound)):
        shop.person("lebedeva").tasks.complete(task.id, approval)
    key = str(order.business_key)
    assert chain.book.column(key) is None, "the old names do not know the new column"
    card = chain.book.card(key)
    assert _column_titles(chain)[str(card["stageId"])] == "Согласование технолога"
    (open_task,) = chain.book.open_tasks(key)
    assert datetime.fromisoformat(open_task["deadline"]) == task.due.replace(microsecond=0)
    technologist.tasks.complete(task.id, {**approval, "technologyFile": pdf_file("карта.pdf")})
    chain.carry(order, "PrepareEstimate")
    chain.answer(order, "UserTask_AgreePrice", priceDecision="reject", priceComment="Дорого")
    assert chain.ended(order) == "End_PriceRejected"
    (done,) = [visit for visit in shop.reader.snapshot(order.id).done if visit.task_id == NEW_STEP]
    assert (done.person, done.decision) == (TECHNOLOGIST, "approve")
    chain.verdict(order)


def _column_titles(chain: Chain) -> dict[str, str]:
    cards = chain.parts.cards()
    cards.real()
    return cards._titles()


def _an_old_order_ends_on_its_old_version(world: World) -> None:
    """A deployment touches no running order."""
    chain, order = world.chain, world.old["finishing"]
    chain.carry(order, "PrepareDesign", "PrepareEstimate")
    chain.answer(order, "UserTask_AgreePrice", priceDecision="reject", priceComment="Дорого")
    assert chain.ended(order) == "End_PriceRejected"
    past = chain.shop.integration.history.instance(order.id)
    assert past.definition_id == order.definition_id
    assert NEW_STEP not in [t.element for t in chain.shop.integration.history.tasks(processInstanceId=order.id)]
    chain.verdict(order)


def _migration_moves_all_and_disturbs_nothing(world: World) -> None:
    """F-09: timers keep their due dates, nothing is flagged or made twice, suspended and failed orders stay so."""
    chain, admin = world.chain, world.chain.shop.admin
    orders = {name: order for name, order in world.old.items() if name != "finishing"}
    for name in ("due", "flagged", "moved", "suspended"):  # what the mirror owes from before the move is not the move's
        chain.parts.cards().reconcile(orders[name].id)
    flags = chain.notices(orders["flagged"])
    before = {name: _state(chain, order) for name, order in orders.items()}
    dry = world.run("migrate", "--dry-run")
    assert dry.code == 0, dry.text
    assert dry.out.count("не увидит шаг «Согласовать технологию»") == 4
    assert dry.out.count("приостановлен") == 1
    assert {name: _state(chain, order) for name, order in orders.items()} == before
    done = world.run("migrate")
    assert (done.code, "Перенесено на версию" in done.out) == (0, True), done.text
    target = admin.processes.newest(ROUTE).id
    assert {admin.processes.instance(order.id).definition_id for order in orders.values()} == {target}
    assert {name: _state(chain, order) for name, order in orders.items()} == before
    made = len(chain.created())
    for name, order in orders.items():
        if name != "failed":
            chain.parts.cards().reconcile(order.id)
            assert [str(d) for d in chain.parts.cards().differences(order.id, deep=True)] == []
    assert len(chain.created()) == made
    assert chain.notices(orders["flagged"]) == flags
    assert [name for name in flags if ":late:" in name], "people were told of the broken promise before"
    admin.processes.set_suspended([orders["suspended"].id], False)
    (failed,) = admin.external.find(processInstanceId=orders["failed"].id)
    admin.external.set_retries(failed.id)
    chain.carry(orders["failed"], "ApproveOrder", "PrepareDesign")
    chain.step(orders["failed"], NEW_STEP)
    chain.carry(orders["suspended"], "Manufacture")
    chain.step(orders["suspended"], "UserTask_TellCustomer")


def _state(chain: Chain, order: Instance) -> dict[str, object]:
    """Return what moving an order must leave as it is; times to the second and beyond."""
    admin = chain.shop.admin
    variables = admin.processes.variables(order.id)
    (row,) = door(chain.shop, "admin").rows(f"/process-instance?processInstanceIds={order.id}")
    return {
        "jobs": sorted((job.id, job.due) for job in admin.processes.jobs(processInstanceId=order.id)),
        "tasks": [(t.id, t.due, t.assignee, t.suspended) for t in admin.tasks.of_instance(order.id)],
        "visits": {k: v for k, v in variables.items() if k.startswith(("visit_", "due_", "late"))},
        "incidents": [(i.kind, i.activity_id) for i in admin.processes.incidents(processInstanceId=order.id)],
        "external": [(t.id, t.activity_id) for t in admin.external.find(processInstanceId=order.id)],
        "suspended": row["suspended"],
    }


def test_a_move_that_fails_moves_nobody(shop: Shop, tidy: None) -> None:
    """All or none: when a later version's orders cannot go, the earlier ones are moved back."""
    admin = door(shop, "admin")
    first, target = (admin.deploy(route_xml().replace("1.0.0", tag)) for tag in ("a", "b"))
    ids = [next(iter(d.json()["deployedProcessDefinitions"])) for d in (first, target)]
    orders = [admin.call("POST", f"/process-definition/{ids[0]}/start", _request()).json()["id"] for _ in range(2)]
    api = shop.admin.migrations
    one, other = ([s for s in api.standing(ids[0]) if s.instance_id == order] for order in orders)
    plan = api.plan(*ids)
    assert api.problems(plan) == []
    with pytest.raises(EngineError):
        api.move([Move(plan, tuple(one)), Move({**plan, "instructions": []}, tuple(other))])
    assert {shop.admin.processes.instance(order).definition_id for order in orders} == {ids[0]}
    api.move([Move(plan, (*one, *other))])
    assert {shop.admin.processes.instance(order).definition_id for order in orders} == {ids[1]}


def _request() -> dict[str, object]:
    file = {"value": "JVBERi0=", "type": "File", "valueInfo": {"filename": "a.pdf"}}
    words = ("customerName", "customerContact", "itemDescription")
    return {"variables": {"orderFile": file, **{w: {"value": "Стол", "type": "String"} for w in words}}}


def test_lost_demands_need_an_explicit_yes(shop: Shop, tidy: None, tmp_path: Path) -> None:
    """A deployment that lets orders do without something is not a slip: it is refused until somebody says yes."""
    env = settings_of(shop, tmp_path / "data")
    loose = replaced(route_xml(), 'value="estimateFile, estimateSum"', 'value="estimateSum"')
    folder = folder_with(tmp_path / "bpmn", loose)
    run("deploy", "--yes", env=env, seconds=600)
    before = shop.admin.processes.newest(ROUTE).id
    refused = run("deploy", folder, env=env, seconds=600)
    assert refused.code == 1
    lines = refused.err.splitlines()
    assert any("шаг «Рассчитать смету» больше не требует файл «Смета»" in line for line in lines[:4]), refused.text
    assert "--yes" in refused.err
    assert shop.admin.processes.newest(ROUTE).id == before
    broken = folder_with(tmp_path / "broken", route_xml().replace('"shipping"', '"shiping"'))
    assert "Наверное, shipping" in run("deploy", broken, "--yes", env=env, seconds=600).err
    assert shop.admin.processes.newest(ROUTE).id == before
    assert run("deploy", folder, "--yes", env=env, seconds=600).code == 0
    assert shop.admin.processes.newest(ROUTE).id != before


def test_setup_publishes_nothing_that_demands_less(shop: Shop, tidy: None, tmp_path: Path) -> None:
    """Only a person's yes to `deploy` drops a demand; a machine's repeat of the set-up leaves the stricter diagram."""
    env = settings_of(shop, tmp_path / "data")
    demands = 'value="estimateFile, estimateSum'
    folder = folder_with(tmp_path / "bpmn", replaced(route_xml(), demands, f"{demands}, estimateComment"))
    strict = deploy(shop.admin, folder_files(folder), name="order-route", ttl_days=1095)
    assert strict.new
    before = shop.admin.processes.newest(ROUTE).id
    refused = run("setup", env=env, seconds=600)
    assert refused.code == 1
    assert "больше не требует" in refused.err and "order-route deploy" in refused.err, refused.text
    assert shop.admin.processes.newest(ROUTE).id == before
    assert run("deploy", "--yes", env=env, seconds=600).code == 0
    assert run("setup", env=env, seconds=600).code == 0
    assert shop.admin.processes.newest(ROUTE).id != before


def test_the_renegotiation_variant_runs(shop: Shop, tidy: None, tmp_path: Path) -> None:
    """S-48: with the shipped variant a customer's «too dear» leads to a new estimate, not to the end."""
    env = settings_of(shop, tmp_path / "data")
    folder = folder_with(tmp_path / "bpmn", VARIANT_FILE.read_text(encoding="utf-8"))
    deployed = run("deploy", folder, "--yes", env=env, seconds=600)
    assert deployed.code == 0, deployed.text
    assert "новое решение «Просит пересчитать»" in deployed.out
    order = shop.start_order()
    shop.carry_to(order, "UserTask_AgreePrice")
    with pytest.raises(GateRefused, match="причин"):
        shop.answer(order, priceDecision="revise")
    shop.answer(order, priceDecision="revise", priceComment="Нужно дешевле")
    assert shop.open_step(order).task_id == "UserTask_PrepareEstimate"
    shop.answer(order)
    assert shop.open_step(order).task_id == "UserTask_AgreePrice"
    shop.answer(order)
    shop.carry_home(order)
    found = shop.reader.snapshot(order.id)
    assert found.end_id == "End_Delivered"
    assert [v.task_id for v in found.done].count("UserTask_AgreePrice") == 2
