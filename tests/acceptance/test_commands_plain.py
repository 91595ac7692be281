"""Commands that need no engine, and every kind of wrong use: one sentence that says what to do, never a traceback."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
import time
from pathlib import Path

import pytest
from command import ROOT, run
from samples import make_xlsx

pytestmark = pytest.mark.acceptance


def test_bad_settings_are_said_all_at_once() -> None:
    said = run("status", env={"ORDER_ROUTE_LOCK_SECONDS": "0", "ORDER_ROUTE_TIME_ZONE": "Mars"})
    assert said.code == 2
    assert "ORDER_ROUTE_LOCK_SECONDS" in said.err
    assert "ORDER_ROUTE_TIME_ZONE" in said.err


def test_wrong_use_is_exit_2() -> None:
    assert run("calendar", "--from", "2026-11-25T15:00").code == 2
    assert run("inspect").code == 2
    assert run("nonsense").code == 2


def test_calendar_explains_the_new_year(tmp_path: Path) -> None:
    said = run("calendar", "--from", "2026-12-30T15:00", "--norm", "16h")
    assert said.code == 0, said.text
    assert re.search(r"Срок: \d\d\.01\.2027 \d\d:\d\d", said.out)
    between = run("calendar", "--from", "2026-11-25T09:00", "--to", "2026-11-25T18:00")
    assert "8.00 ч" in between.out


def test_unapproved_year_is_marked() -> None:
    assert "не утверждён" in run("calendar", "--from", "2029-02-01T09:00", "--norm", "8h").out


def test_inspect_accepts_and_refuses(tmp_path: Path) -> None:
    (tmp_path / "Смета.xlsx").write_bytes(make_xlsx())
    (tmp_path / "Проект.pdf").write_bytes(b"MZ" + bytes(2000))
    said = run("inspect", tmp_path / "Смета.xlsx", tmp_path / "Проект.pdf", "--json")
    assert said.code == 1
    found = json.loads(said.out)
    assert [(f["name"], f["verdict"]) for f in found] == [("Смета.xlsx", "accept"), ("Проект.pdf", "reject")]
    assert set(found[0]) == {"name", "verdict", "reason"}
    listing = tmp_path / "list.json"
    listing.write_text(json.dumps([{"path": "Смета.xlsx", "name": "../\u202eСмета.xlsx"}]), encoding="utf-8")
    listed = run("inspect", "--list", listing, "--json")
    assert (listed.code, json.loads(listed.out)[0]["verdict"]) == (0, "accept")


def test_check_passes_ours_and_names_what_is_wrong(tmp_path: Path) -> None:
    began = time.monotonic()
    assert run("check").code == 0
    sys.stdout.write(
        f"check: {time.monotonic() - began:.1f} s (goal 5 s on a free machine), load {os.getloadavg()[0]:.1f}\n"
    )
    broken = tmp_path / "custom-furniture-order.bpmn"
    model = (ROOT / "bpmn" / broken.name).read_text(encoding="utf-8")
    broken.write_text(model.replace('camunda:candidateGroups="designers"', 'camunda:candidateGroups="drafters"'))
    said = run("check", broken)
    assert said.code == 1
    assert "drafters" in said.out


def test_check_speaks_to_programs_and_says_what_it_left_out(tmp_path: Path) -> None:
    """JSON holds file, element and remedy; without Node.js half the rules are missing, which is no pass."""
    broken = tmp_path / "custom-furniture-order.bpmn"
    model = (ROOT / "bpmn" / broken.name).read_text(encoding="utf-8")
    broken.write_text(model.replace('="shipping"', '="shiping"'), encoding="utf-8")
    said = run("check", broken, "--json", seconds=400)
    assert said.code == 1
    (file,) = json.loads(said.out)["files"]
    assert file["file"] == broken.name
    assert "маршрут заказа" in file["what"]
    (finding,) = file["findings"]
    assert (finding["element"], finding["label"], finding["remedy"]) == (
        "UserTask_Ship",
        "Отгрузить заказ",
        "Наверное, shipping",
    )
    empty = {"PATH": str(tmp_path)}
    without = run("check", env=empty, seconds=400)
    assert (without.code, "Не проверено правилами bpmnlint" in without.out) == (1, True), without.text
    assert run("check", "--no-lint", env=empty, seconds=400).code == 0


@pytest.mark.parametrize(
    ("setting", "text", "named"),
    [
        ("STAFF_FILE", '[[person]]\nid = "a"\nname = "Кто-то"\ngroups = ["nobody"]\n', "nobody"),
        ("CALENDAR_FILE", '[year.2026]\ndays_off = ["32.13.2026"]\n', "32.13.2026"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, setting: str, text: str, named: str) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(text, encoding="utf-8")
    engine = {"ORDER_ROUTE_ENGINE_URL": "http://127.0.0.1:9/engine-rest", "ORDER_ROUTE_DATA_DIR": str(tmp_path)}
    said = run("doctor", env=engine | {f"ORDER_ROUTE_{setting}": str(bad)})
    assert said.code == 1
    assert named in said.text


def test_no_engine_is_one_sentence(tmp_path: Path) -> None:
    said = run("status", env={"ORDER_ROUTE_DATA_DIR": str(tmp_path)})
    assert said.code == 1
    assert "order-route up" in said.err


def test_no_java_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for tool in ("env", "uname"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "")
    env = {"ORDER_ROUTE_DATA_DIR": str(tmp_path / "data"), "PATH": str(tmp_path / "bin"), "JAVA_HOME": ""}
    said = run("up", env=env)
    assert said.code == 1
    assert "openjdk-17-jre-headless" in said.err


def test_missing_jar_and_unwritable_folder(tmp_path: Path) -> None:
    said = run("up", env={"ORDER_ROUTE_DATA_DIR": str(tmp_path), "ORDER_ROUTE_SERVER_JAR": str(tmp_path / "no.jar")})
    assert said.code == 1
    assert "make server" in said.err
    # /proc refuses a new folder even to root
    said = run("up", env={"ORDER_ROUTE_DATA_DIR": "/proc/order-route"})
    assert said.code == 1
    assert "ORDER_ROUTE_DATA_DIR" in said.err


def test_full_disk_is_one_sentence(tmp_path: Path) -> None:
    full = tmp_path / "data"
    full.mkdir()
    (full / ".probe").symlink_to("/dev/full")  # every write to it answers "no space left on device"
    said = run("up", env={"ORDER_ROUTE_DATA_DIR": str(full)})
    assert said.code == 1
    assert "нет места" in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_taken_port_names_the_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        env = {
            "ORDER_ROUTE_WEB_LISTEN": f"127.0.0.1:{taken.getsockname()[1]}",
            "ORDER_ROUTE_ENGINE_URL": "http://127.0.0.1:9/engine-rest",
            "ORDER_ROUTE_DATA_DIR": str(tmp_path),
        }
        said = run("web", env=env)
    assert said.code == 1
    assert "ORDER_ROUTE_WEB_LISTEN" in said.err


def test_unknown_topic_is_named(tmp_path: Path) -> None:
    env = {"ORDER_ROUTE_ENGINE_URL": "http://127.0.0.1:9/engine-rest", "ORDER_ROUTE_DATA_DIR": str(tmp_path)}
    said = run("worker", "--topics", "sync-stage,dance", env=env)
    assert said.code == 2
    assert "dance" in said.err


def test_help_is_quick_and_lists_everything() -> None:
    said = run("--help", env={"PYTHONPROFILEIMPORTTIME": ""} | dict(os.environ))
    assert said.code == 0
    for name in ("demo", "up", "doctor", "bitrix"):
        assert name in said.out
