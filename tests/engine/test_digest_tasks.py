"""Rule: the digest's open steps are Cockpit's open tasks, one for one, with the same holders."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command import run, settings_of
from shop import Shop

pytestmark = pytest.mark.engine
STEPS = ("ApproveOrder", "PrepareDesign", "PrepareEstimate", "AgreePrice", "Manufacture", "Ship")


def test_the_digest_is_cockpits_open_tasks(shop: Shop, tmp_path: Path) -> None:
    env = settings_of(shop, tmp_path / "data")
    orders = [shop.start_order() for _ in STEPS]
    for order, step in zip(orders, STEPS, strict=True):
        shop.carry_to(order, f"UserTask_{step}")
    (design,) = shop.integration.tasks.of_instance(orders[1].id)
    shop.signed_in("lebedeva").tasks.claim(design.id, "lebedeva")
    shop.integration.tasks.set_due(design.id, datetime.now(UTC) - timedelta(days=10))

    out = tmp_path / "digest.csv"
    said = run("digest", "--out", out, env=env)
    assert said.code == 0, said.text
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8-sig")), delimiter=";"))
    route = shop.reader.route(orders[0].definition_id)
    keys = {order.id: order.business_key for order in orders}
    cockpit = {  # Cockpit's own query
        (keys[t.instance_id], route.stage(t.element).label, "да" if t.assignee else "нет")  # type: ignore[union-attr]
        for t in shop.admin.tasks.find(process_definition_key="custom-furniture-order")
    }
    assert {(r["Заказ"], r["Этап"], r["Взят"]) for r in rows} == cockpit
    assert len(rows) == len(orders)
    late = next(r for r in rows if r["Заказ"] == orders[1].business_key)
    assert (late["У кого"], late["Отдел"]) == ("Мария Лебедева", "конструкторское бюро")
    assert re.search(rf"Опаздывают: 1\n• {orders[1].business_key} · .+ · Мария Лебедева · опоздание", said.out)

    page = tmp_path / "digest.html"
    own = run("digest", "--for", "lebedeva", "--out", page, env=env)
    assert orders[1].business_key in own.out
    assert orders[0].business_key not in own.out
    assert "Мария Лебедева" in page.read_text(encoding="utf-8")
    assert run("digest", "--for", "nobody", env=env).code == 2
    assert run("digest", "--out", tmp_path / "digest.doc", env=env).code == 2


def test_a_stopped_step_needs_attention(shop: Shop, tmp_path: Path) -> None:
    order = shop.start_order()
    (task,) = shop.admin.external.find(processInstanceId=order.id)
    shop.admin.external.set_retries_of([task.id], 0)
    said = run("digest", env=settings_of(shop, tmp_path / "data"))
    assert said.code == 0, said.text
    assert f"Требует внимания: 1\n• {order.business_key}: шаг программы остановлен сбоем" in said.out
