"""Rule: whatever comes in through the engine, the chain of real processes does once, names what is wrong, goes on."""

from __future__ import annotations

import hashlib
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import forgeries
import pytest
import requests
import samples
from chain import Chain, doubled, open_chain
from command import run, settings_of
from shop import Shop, pdf

from engine.processes import Instance
from engine.variables import FileValue

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]
NAME = "Шкаф-купе №3 — «эскиз»; финал (ё, й).pdf"


@pytest.fixture(scope="module")
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Two workers beside each other; the first shows its health. Nobody dies here, so locks may last."""
    with open_chain(shop, tmp_path_factory.mktemp("orders") / "chain", lock_seconds=15) as opened:
        opened.work()
        opened.wait(opened.healthy, "the first worker up")
        opened.work()
        yield opened


def test_two_workers_do_each_step_once(chain: Chain) -> None:
    orders = [chain.shop.start_order() for _ in range(6)]
    ends = ["End_PriceRejected", "End_RefusedByDirector", "End_Cancelled"] * 2

    def carry(order: Instance, end: str) -> str | None:
        if end == "End_RefusedByDirector":
            chain.answer(order, "UserTask_ApproveOrder", directorDecision="reject", directorComment="Не наше")
            return chain.ended(order)
        chain.carry(order, "ApproveOrder")
        if end == "End_PriceRejected":
            chain.carry(order, "PrepareDesign", "PrepareEstimate")
            chain.answer(order, "UserTask_AgreePrice", priceDecision="reject", priceComment="Дорого")
        else:
            chain.step(order, "UserTask_PrepareDesign")
            chain.cancel(order)
        return chain.ended(order)

    with ThreadPoolExecutor(len(orders)) as persons:
        assert list(persons.map(carry, orders, ends)) == ends
    chain.verdict(*orders)
    done = [line for order in orders for line in _answered(chain, order)]
    assert doubled([line["externalTaskId"] for line in done]) == {}
    assert len({line["workerId"] for line in done}) == 2, "both workers took part"


def _answered(chain: Chain, order: Instance) -> list[dict[str, str]]:
    """Return who completed which external task, from the engine's own log."""
    engine = chain.shop.engine
    query = {"processInstanceId": order.id, "successLog": "true", "maxResults": "500"}
    account = (engine.admin_user, engine.admin_password.get_secret_value())
    found = requests.get(f"{engine.url}/history/external-task-log", query, auth=account, timeout=30)
    assert found.ok, found.text
    return list(found.json())


def test_the_same_start_twice_at_once_is_one_order(chain: Chain) -> None:
    key, barrier = f"T.twice-{chain.folder.parent.name}", threading.Barrier(2)

    def start(_: int) -> Instance:
        barrier.wait(30)
        return chain.shop.start_order(key=key)

    with ThreadPoolExecutor(2) as persons:
        both = list(persons.map(start, range(2)))
    oldest = chain.shop.reader.instances_of(key)[0]
    (real,) = [order for order in both if order.id == oldest]
    (twin,) = [order for order in both if order.id != oldest]
    open_tasks = chain.shop.integration.tasks.of_instance
    chain.step(real, "UserTask_ApproveOrder")
    chain.wait(lambda: chain.shop.integration.history.instance(twin.id).ended or open_tasks(twin.id), "the twin's fate")
    assert open_tasks(twin.id) == []
    assert chain.ended(twin) == "End_Duplicate"
    assert [c["xmlId"] for c in chain.book.cards()].count(f"order:{key}") == 1
    chain.verdict(real)


def test_a_forged_file_comes_back_with_its_reason(chain: Chain) -> None:
    """A drawing that runs a script, then a locked estimate: both refused in words, both corrected."""
    order = chain.shop.start_order()
    chain.carry(order, "ApproveOrder")
    first = chain.step(order, "UserTask_PrepareDesign")
    forged = FileValue("чертёж.pdf", forgeries.pdf_script(), "application/pdf")
    chain.complete(first, {"designFile": forged})
    said = _refusal(chain, order, "UserTask_PrepareDesign", first.id)
    assert "чертёж.pdf" in said
    assert "designFile" not in chain.shop.reader.file_names(order.id)
    chain.carry(order, "PrepareDesign")
    second = chain.step(order, "UserTask_PrepareEstimate")
    locked = FileValue("смета.xlsx", forgeries.locked_workbook(), "application/octet-stream")
    chain.complete(second, {"estimateFile": locked, "estimateSum": "125000.00"})
    said = _refusal(chain, order, "UserTask_PrepareEstimate", second.id)
    assert "защищён паролем" in said and "снимите пароль" in said
    chain.carry(order, "PrepareEstimate")
    chain.step(order, "UserTask_AgreePrice")
    assert chain.book.value("refusal", order.business_key) in ("", None)
    chain.verdict(order)


def _refusal(chain: Chain, order: Instance, element: str, before: str) -> str:
    """Return the reason with which a step came back; it stands in the engine, on the card and in the new task."""

    def again() -> bool:
        tasks = chain.shop.integration.tasks.of_instance(order.id)
        return any(t.element == element and t.id != before for t in tasks)

    chain.wait(again, f"{element} opened again")
    (visit,) = chain.shop.reader.snapshot(order.id).open
    said = visit.refusal or ""
    assert chain.book.value("refusal", order.business_key) == said
    assert said in chain.book.open_tasks(order.business_key)[0]["description"]
    return said


def test_a_cyrillic_name_is_the_same_everywhere(chain: Chain) -> None:
    data = pdf("эскиз")
    sha = hashlib.sha256(data).hexdigest()
    assert unicodedata.normalize("NFD", NAME) != NAME == unicodedata.normalize("NFC", NAME)
    order = chain.shop.start_order(orderFile=FileValue(unicodedata.normalize("NFD", NAME), data, "application/pdf"))
    chain.step(order, "UserTask_ApproveOrder")
    (ref,) = chain.shop.reader.snapshot(order.id).files
    assert (ref.name, ref.sha256) == (NAME, sha)
    name, stored = chain.shop.reader.file_bytes(order.id, "orderFile")
    assert (unicodedata.normalize("NFC", name), stored) == (NAME, data)
    (card,) = [c for c in chain.book.cards() if c["xmlId"] == f"order:{order.business_key}"]
    assert chain.parts.portal is not None
    shown = chain.parts.portal.download(card[chain.book.schema.fields["orderFile"].name]["urlMachine"])
    assert hashlib.sha256(shown).hexdigest() == sha
    updates = [line["params"] for line in chain.portal.log("crm.item.update")]
    given = [params["fields"] for params in updates if str(params["id"]) == str(card["id"])]
    uploads = [value for fields in given for value in fields.values() if isinstance(value, list) and NAME in value]
    assert [value[1]["sha256"] for value in uploads] == [sha]
    assert NAME in chain.book.drive()
    chain.verdict(order)


def test_an_answer_nested_100000_deep_harms_one_order_only(chain: Chain) -> None:
    """F-12: what ends a thread without being an Exception must end neither poller nor keeper."""
    sick, *healthy = [chain.shop.start_order() for _ in range(4)]
    for order in (sick, *healthy):
        chain.step(order, "UserTask_ApproveOrder")
    before = chain.metrics()
    chain.portal.faults({"kind": "deep_json", "item": chain.book.card(sick.business_key)["id"]})
    try:
        for order in (sick, *healthy):
            chain.carry(order, "ApproveOrder")
        nested = FileValue("дерево.pdf", samples.nested_arrays_pdf(5000), "application/pdf")
        zipped = FileValue("эскиз.xlsx", forgeries.claiming_4_gib(), "application/octet-stream")
        odd = [chain.shop.start_order(orderFile=file) for file in (nested, zipped)]
        for order in healthy:
            chain.step(order, "UserTask_PrepareDesign")
        for order in odd:
            chain.wait(lambda order=order: chain.shop.integration.tasks.of_instance(order.id), "an odd file judged")
        (reason,) = chain.wait(lambda: chain.incidents(sick), "the sick order waits for the operator")
        assert "Битрикс24" in reason and "Traceback" not in reason, reason
    finally:
        chain.portal.faults()
    assert chain.healthy()
    for loop in ("poller", "keeper"):
        name = f'order_route_loop_beat_timestamp_seconds{{loop="{loop}"}}'
        chain.wait(lambda name=name: chain.metrics()[name] > before[name], f"another turn of the {loop}")
    assert _completed(chain.metrics()) > _completed(before)
    chain.verdict(*healthy)


def _completed(metrics: dict[str, float]) -> float:
    return sum(value for name, value in metrics.items() if name.startswith("order_route_tasks_completed_total"))


def test_an_operator_sees_why_and_retries(chain: Chain) -> None:
    env = settings_of(chain.shop, chain.folder) | chain.env
    order = chain.shop.start_order()
    director = chain.step(order, "UserTask_ApproveOrder")
    card = {"entityTypeId": chain.book.schema.entity_type_id, "id": chain.book.card(order.business_key)["id"]}
    chain.portal.call("crm.item.delete", card)
    chain.complete(director, {"directorDecision": "approve"})
    chain.wait(lambda: chain.incidents(order), "the deleted card noticed")
    seen = run("incidents", env=env)
    assert seen.code == 1
    assert f"карточка заказа {order.business_key} удалена" in " ".join(seen.out.split()), seen.out
    run("bitrix", "reconcile", "--recreate", str(order.business_key), "--dry-run", env=env)
    assert chain.book.column(order.business_key) == "design"
    assert "Повторяется: 1" in run("retry", str(order.business_key), env=env).out
    chain.step(order, "UserTask_PrepareDesign")
    chain.wait(lambda: not chain.incidents(order), "the incident over")
    assert run("incidents", env=env).code == 0
    assert Counter(c["xmlId"] for c in chain.book.cards())[f"order:{order.business_key}"] == 1
