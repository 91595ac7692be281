"""Rule: whatever comes in through the engine, the chain of real processes does once, names what is wrong, goes on."""

from __future__ import annotations

import struct
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import forgeries
import pytest
import requests
import samples
from chain import Chain, doubled, open_chain
from command import run, settings_of
from crowd import said
from shop import Shop

from engine.processes import Instance
from engine.variables import FileValue
from workers.runtime import Options

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]


@pytest.fixture(scope="module")
def chain(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Two workers beside each other; the first shows its health. Nobody dies here, so locks may last."""
    with open_chain(
        shop, tmp_path_factory.mktemp("orders") / "chain", lock_seconds=15, bitrix_poll_seconds=2
    ) as opened:
        opened.work()
        opened.wait(opened.healthy, "the first worker up")
        opened.work()
        opened.wait(lambda: said(opened, "worker_started")() >= 2, "both workers at work")
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


def test_a_dragged_card_goes_back_while_workers_work(chain: Chain) -> None:
    """No event ever comes here: the workers look by themselves each BITRIX_POLL_SECONDS, one of them for both."""
    order = chain.shop.start_order()
    chain.carry(order, "ApproveOrder")
    key = chain.shop.reader.snapshot(order.id).key
    chain.wait(lambda: chain.book.column(key) == "design", "the card at the designers")
    chain.portal.set_users([{"id": 103, "mayMove": True}])
    chain.book.edit({"stageId": chain.book.schema.columns["payment"]}, key=key, user=103)
    chain.wait(lambda: chain.book.column(key) == "design", "the card back in its column")
    lines = chain.wait(
        lambda: [line for line in chain.book.lines(key) if "передвинули" in line["title"]], "the move in the timeline"
    )
    assert len(lines) == 1 and "Ирина Соколова" in lines[0]["text"]
    chain.cancel(order)
    chain.ended(order)


def _answered(chain: Chain, order: Instance) -> list[dict[str, str]]:
    """Return who completed which external task, from the engine's own log."""
    engine = chain.shop.engine
    query = {"processInstanceId": order.id, "successLog": "true", "maxResults": "500"}
    account = (engine.admin_user, engine.admin_password.get_secret_value())
    found = requests.get(f"{engine.url}/history/external-task-log", query, auth=account, timeout=30)
    assert found.ok, found.text
    return list(found.json())


@pytest.mark.parametrize("pairs", [1, pytest.param(50, marks=pytest.mark.soak)])
def test_the_same_start_twice_at_once_is_one_order(chain: Chain, pairs: int) -> None:
    barrier = threading.Barrier(2)

    def start(key: str) -> Instance:
        barrier.wait(30)
        return chain.shop.start_order(key=key)

    reals = []
    with ThreadPoolExecutor(2) as persons:
        for n in range(pairs):
            key = f"T.twice-{chain.folder.parent.name}-{pairs}-{n}"
            both = list(persons.map(start, [key, key]))
            oldest = chain.shop.reader.instances_of(key)[0]
            (real,) = [order for order in both if order.id == oldest]
            (twin,) = [order for order in both if order.id != oldest]
            _one_goes_on(chain, real, twin)
            reals.append(real)
    keys = Counter(card["xmlId"] for card in chain.book.cards())
    assert [keys[f"order:{order.business_key}"] for order in reals] == [1] * pairs
    chain.verdict(*reals)


def _one_goes_on(chain: Chain, real: Instance, twin: Instance) -> None:
    """Wait until the first step of the older start is open, and assert that the younger ended before any step."""
    open_tasks = chain.shop.integration.tasks.of_instance
    chain.step(real, "UserTask_ApproveOrder")
    chain.wait(lambda: chain.shop.integration.history.instance(twin.id).ended or open_tasks(twin.id), "the twin's fate")
    assert open_tasks(twin.id) == []
    assert chain.ended(twin) == "End_Duplicate"


@pytest.mark.parametrize("healthy_orders", [6, pytest.param(19, marks=pytest.mark.soak)])
def test_an_answer_nested_100000_deep_harms_one_order_only(chain: Chain, healthy_orders: int) -> None:
    """F-12: what ends a thread without being an Exception must end neither poller nor keeper nor a handler's slot."""
    sick, *healthy = [chain.shop.start_order() for _ in range(1 + healthy_orders)]
    for order in (sick, *healthy):
        chain.step(order, "UserTask_ApproveOrder")
    chain.portal.faults({"kind": "deep_json", "item": chain.book.card(sick.business_key)["id"]})
    try:
        for order in (sick, *healthy):
            chain.carry(order, "ApproveOrder")
        nested, zipped = (chain.shop.start_order(orderFile=file) for file in _odd_files())
        for order in healthy:
            chain.step(order, "UserTask_PrepareDesign")
        chain.step(nested, "UserTask_FixRequest")
        chain.step(zipped, "UserTask_FixRequest")
        (reason,) = chain.wait(lambda: chain.incidents(sick), "the sick order waits for the operator")
        assert "Битрикс24" in reason and "Traceback" not in reason, reason
        before = chain.metrics()
        chain.carry(healthy[0], "PrepareDesign")
        chain.step(healthy[0], "UserTask_PrepareEstimate")
    finally:
        chain.portal.faults()
    for order, words in ((nested, "дерево.pdf"), (zipped, "эскиз.docx")):
        (visit,) = chain.shop.reader.snapshot(order.id).open
        assert words in str(visit.refusal)
    assert chain.healthy()
    beats = [name for name in before if name.startswith("order_route_loop_beat_timestamp_seconds")]
    assert len(beats) == 3 + Options().slots, "poller, keeper, the watch over the portal, and each slot"
    for name in beats:
        chain.wait(lambda name=name: chain.metrics()[name] > before[name], f"another turn: {name}")
    assert all(order_incidents == [] for order_incidents in map(chain.incidents, healthy))
    chain.verdict(*healthy)
    after = chain.metrics()
    chain.carry(healthy[1], "PrepareDesign")
    chain.wait(lambda: _more_work(chain, after, healthy[1:]), "this worker, too, still completes steps")


def _odd_files() -> list[FileValue]:
    """Return a PDF of 5,000 nested arrays, and a document one of whose members claims 4 GiB."""
    zipped = forgeries.patched(samples.make_docx(), b"PK\x01\x02", 24, struct.pack("<I", 0xFFFFFFF0))
    nested = samples.nested_arrays_pdf(5000)
    return [FileValue("дерево.pdf", nested, "application/pdf"), FileValue("эскиз.docx", zipped, "")]


def _more_work(chain: Chain, before: dict[str, float], orders: list[Instance]) -> bool:
    """Answer one more step, which either worker may fetch; tell whether the one with the page has completed more."""
    for order in orders:
        if any(t.element == "UserTask_PrepareDesign" for t in chain.shop.integration.tasks.of_instance(order.id)):
            chain.carry(order, "PrepareDesign")
            break
    return _completed(chain.metrics()) > _completed(before)


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


def test_complaint_and_actual_cost_reach_the_card_of_a_shipped_order(chain: Chain) -> None:
    """Both are comments of the card, once each, with the sum beside the estimate; a second look writes nothing."""
    shop = chain.shop
    order = shop.start_order()
    steps = "ApproveOrder PrepareDesign PrepareEstimate AgreePrice SetReadyDate Manufacture TellCustomer IssueInvoice"
    chain.carry(order, *steps.split(), "TakePayment", "Ship")
    assert chain.ended(order) == "End_Delivered"
    key = {"orderKey": order.business_key}
    cost = shop.person("elena").processes.start("record-actual-cost", key | {"actualCost": "110 000,50"})
    complaint = shop.person("sokolova").processes.start("record-complaint", key | {"complaintText": "Скрипит дверца"})
    for support in (cost, complaint):
        chain.wait(lambda support=support: shop.admin.history.instance(support.id).ended, "the record worked off")
    chain.parts.cards().reconcile(order.id)  # a whole round would look at other tests' orders too
    comments = chain.book.comments(order.business_key or "")
    (told,) = [text for text in comments if "Фактические затраты" in text]
    assert "110\u202f000,50\u202f₽" in told and "По смете: 125\u202f000\u202f₽" in told
    assert len([text for text in comments if "Рекламация RCL-" in text and "Скрипит дверца" in text]) == 1
    chain.parts.cards().reconcile(order.id)
    assert chain.book.comments(order.business_key or "") == comments
    assert chain.incidents(order) == []
    assert [str(found) for found in chain.parts.cards().differences(order.id, deep=True)] == []
