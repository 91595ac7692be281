"""No word of a customer and no secret reaches a log, however an order goes and whatever fails meanwhile.

Searched are the logs of the worker and of the engine, in every notation; the run must have logged each of its faults.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from chain import Chain, open_chain
from dumps import hits
from shop import Shop, pdf

from engine.errors import GateRefused
from engine.variables import FileValue

pytestmark = [pytest.mark.acceptance, pytest.mark.engine, pytest.mark.soak]
MARK = uuid.uuid4().hex[:12]
NAME, PHONE, PAPER, WORDS = f"Канарейкин {MARK}n", f"+7 901 {MARK}p", f"{MARK}f", f"{MARK}w"


@pytest.fixture
def chain(shop: Shop, tmp_path: Path) -> Iterator[Chain]:
    with open_chain(shop, tmp_path / "data", portal_patience_seconds=2, lock_seconds=15) as opened:
        opened.work()
        yield opened


def paper(data: bytes) -> FileValue:
    return FileValue(f"{PAPER}.pdf", data, "application/pdf")


def test_logs_hold_neither_customers_nor_secrets(chain: Chain) -> None:
    shop = chain.shop
    chain.portal.faults(
        {"kind": "error500", "methods": ["crm.item.add"], "count": 1},
        {"kind": "html502", "methods": ["tasks.task.add"], "count": 2},
        {"kind": "truncated", "methods": ["crm.item.update"], "count": 1},
        {"kind": "refused", "methods": ["disk.*"], "count": 2},
    )
    order = shop.start_order(
        customerName=NAME, customerContact=PHONE, itemDescription=WORDS, orderFile=paper(b"MZ" * 99)
    )
    fix = chain.step(order, "UserTask_FixRequest")  # the judge refused the file, by name
    with pytest.raises(GateRefused):
        chain.complete(fix, {"orderFile": paper(b"")})
    chain.complete(fix, {"orderFile": paper(pdf(PAPER))})
    director = chain.step(order, "UserTask_ApproveOrder")
    with pytest.raises(GateRefused):
        chain.complete(director, {"directorDecision": WORDS})
    chain.complete(director, {"directorDecision": "approve", "directorComment": f"{NAME} звонил с {PHONE}"})
    chain.step(order, "UserTask_PrepareDesign")
    chain.portal.stop()
    chain.answer(order, "UserTask_PrepareDesign", designFile=paper(pdf(WORDS)), designComment=WORDS)
    chain.step(order, "UserTask_PrepareEstimate")
    chain.portal.start()
    chain.cancel(order)
    assert chain.ended(order) == "End_Cancelled"

    worker = (chain.folder / "worker.log").read_bytes()
    engine = shop.engine.log_file.read_bytes()
    assert worker.count(str(order.business_key).encode()) > 5, "the worker logs orders by number"
    for sign in (b"portal_no_answer", b"external_task_bpmn_error", b"portal_patience_over"):
        assert sign in worker, f"the run was to meet {sign!r}"
    for place, data in (("worker", worker), ("engine", engine)):
        assert hits(data, [NAME, PHONE, PAPER, WORDS]) == [], place
        assert hits(data, _secrets(chain)) == [], place


def _secrets(chain: Chain) -> list[str]:
    passwords = [p.get_secret_value() for p in chain.shop.passwords.values()]
    token = chain.portal.webhook_url.rstrip("/").rpartition("/")[2]
    database = (chain.shop.engine.data_dir / "h2.secret").read_text()
    return [*passwords, chain.shop.engine.admin_password.get_secret_value(), token, database]
