"""Rule: each of the nine complaints of the case is answered by a command, and the answer equals the engine's own count.

Received, what happens, who holds it, by when, who delays, at which stage, papers are not lost, KPI, one summary report.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from command import run, settings_of
from shop import Shop

from engine.rights import ROUTE

pytestmark = pytest.mark.engine
STEPS = ("ApproveOrder", "PrepareDesign", "PrepareDesign", "AgreePrice", "Manufacture")


def test_nine_answers(shop: Shop, tmp_path: Path) -> None:
    env = settings_of(shop, tmp_path / "data")
    orders = [shop.start_order() for _ in STEPS]
    for order, step in zip(orders, STEPS, strict=True):
        shop.carry_to(order, f"UserTask_{step}")
    late = orders[1]
    (task,) = shop.integration.tasks.of_instance(late.id)
    shop.signed_in("lebedeva").tasks.claim(task.id, "lebedeva")
    shop.integration.tasks.set_due(task.id, datetime.now(UTC) - timedelta(days=10))
    shipped = shop.start_order()
    shop.carry_home(shipped)

    def counted(path: str, **query: object) -> int:
        return int(shop.admin.caller.rest("GET", f"{path}/count", params=query).json()["count"])

    zone = ZoneInfo("Europe/Moscow")
    month = datetime.now(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    since = f"{month:%Y-%m-%dT%H:%M:%S}.000+0300"
    started = counted("/history/process-instance", processDefinitionKey=ROUTE, startedAfter=since)
    doubled = counted("/history/activity-instance", activityId="End_Duplicate", startedAfter=since)
    running = counted("/process-instance", processDefinitionKey=ROUTE)
    tasks = shop.admin.tasks.find(process_definition_key=ROUTE)
    route = shop.reader.route(orders[0].definition_id)
    keys = {o.id: o.business_key for o in (*orders, shipped)}
    stages = {keys[t.instance_id]: route.stage(t.element) for t in tasks}

    board = run("board", env=env).out
    assert f"Получено за месяц {started - doubled}, в работе {running}, опаздывают 1" in board, "1. received"

    table = tmp_path / "digest.csv"
    assert run("digest", "--out", table, env=env).code == 0
    rows = {r["Заказ"]: r for r in csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines(), delimiter=";")}
    assert len(rows) == len(tasks) == running
    for row in tasks:
        said, stage = rows[keys[row.instance_id]], stages[keys[row.instance_id]]
        assert stage is not None
        assert said["Этап"] == stage.label, "6. the stage"
        held = shop.staff.name(row.assignee) if row.assignee else shop.staff.title(stage.groups[0])
        assert said["У кого"].startswith(held), "3. who holds it"
        assert row.due is not None
        assert said["Срок"] == f"{row.due.astimezone(zone):%d.%m.%Y %H:%M}", "4. by when"
    by_stage = Counter(s.label for s in stages.values() if s)
    for label, number in by_stage.items():
        assert any(line.split(label)[1].split()[0] == str(number) for line in board.splitlines() if label in line)

    one = run("status", late.business_key, env=env).out
    assert "Разработать документацию" in one, "2. what happens with it and what comes next"
    overdue = counted("/task", processDefinitionKey=ROUTE, dueBefore=f"{datetime.now(zone):%Y-%m-%dT%H:%M:%S}.000+0300")
    assert overdue == 1
    assert "Мария Лебедева" in board.split("Кто задерживает")[1], "5. who delays"

    page = tmp_path / "dossier.html"
    assert run("dossier", shipped.business_key, "--out", page, env=env).code == 0
    text = page.read_text(encoding="utf-8")
    for variable in shop.reader.file_names(shipped.id):
        data = shop.reader.file_bytes(shipped.id, variable)[1]
        assert hashlib.sha256(data).hexdigest() in text, "7. no paper is lost"

    made = tmp_path / "report.json"
    html = tmp_path / "report.html"
    said_of = run("report", "--month", f"{month:%Y-%m}", "--json", made, "--out", html, env=env)
    assert said_of.code == 0, said_of.text
    figures = {f["id"]: f for f in json.loads(made.read_text(encoding="utf-8"))["kpi"] if not f["by"]}
    assert figures["received"]["value"] == started - doubled, "8. KPI"
    assert figures["wip"]["value"] == running
    assert figures["late_open"]["value"] == 0, "by the promised dates, which all lie ahead"
    assert len(html.read_bytes()) <= 300 * 1024, "9. one summary page"
