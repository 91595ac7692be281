"""Rule: a made history is the real engine's own, in simulated time, and is reported on without the engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from shop import START_SECONDS

from app.demo.past.showcase import Made, made
from reports.facts import DUPLICATE, RUNNING
from reports.store import Store

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("ORDER_ROUTE_") or k.endswith("SERVER_JAR")}
    scratch = folder / "scratch"  # of its own: others look for what their demos left
    scratch.mkdir(exist_ok=True)
    env |= {"ORDER_ROUTE_DATA_DIR": str(folder), "TMPDIR": str(scratch)}
    argv = [sys.executable, "-m", "app", *command]
    return subprocess.run(
        argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=2 * START_SECONDS, check=False
    )


def test_a_short_history_is_made_kept_and_reported_on(tmp_path: Path) -> None:
    done = run(tmp_path, "demo", "--history", "2", "--monthly", "1", "--seed", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    folder = tmp_path / "history"
    page = folder / "reports" / next(p.name for p in (folder / "reports").glob("*.html"))
    assert f"Отчёт: {page}" in done.stdout
    note = made(folder)
    assert note is not None
    with Store(folder / "history.db", note.origin) as store:
        facts = store.facts()
    orders = [f.order for f in facts if f.order.outcome != DUPLICATE]
    assert len(orders) >= 2 and {o.outcome for o in orders} - {RUNNING}
    moments = [v.created for f in facts for v in f.visits] + [o.started for o in orders]
    end = note.end.timestamp() * 1000
    assert min(moments) < end - 45 * 86_400_000 and max(moments) <= end  # two months in a minute
    late = [v for f in facts for v in f.visits if v.claimed is not None]
    assert late, "nobody took anything up"
    assert {o.version for o in orders} > {1}, "one version of the diagram only"

    again = run(tmp_path, "demo", "--history", "2", "--monthly", "1", "--seed", "3")
    assert again.returncode == 0 and "Время" not in again.stdout, "made anew"
    as_json = tmp_path / "r.json"
    told = run(tmp_path, "report", "--history", "--json", str(as_json))
    assert told.returncode == 0, told.stderr
    report = json.loads(as_json.read_text(encoding="utf-8"))
    received = next(k for k in report["kpi"] if k["id"] == "received")
    month = report["period"]
    expected = [o.key for o in orders if _month(o.started) == month]
    assert sorted(received["orders"]) == sorted(expected)


def test_a_history_of_an_older_version_is_to_be_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "history"
    folder.mkdir()
    Made("old", "engine", datetime(2026, 11, 1, tzinfo=UTC)).write(folder)
    (folder / "route.bpmn").write_bytes((ROOT / "bpmn" / "custom-furniture-order.bpmn").read_bytes())
    told = run(tmp_path, "report", "--history")
    assert told.returncode == 1 and "повторите make history" in told.stderr and "Traceback" not in told.stderr


def test_without_a_history_the_report_says_how_to_make_one(tmp_path: Path) -> None:
    told = run(tmp_path, "report", "--history")
    assert told.returncode == 1 and "make history" in told.stderr and "Traceback" not in told.stderr


def _month(ms: int) -> str:
    from zoneinfo import ZoneInfo

    return f"{datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo('Europe/Moscow')):%Y-%m}"
