"""Doctor says each matter as in order, warning or fault, and what to do; a matter that cannot be seen is a fault."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.doctor import _address, _clock, examine
from app.growth import Growth, since_last_look
from app.settings import load
from app.wiring import Parts
from engine.about import About

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_growth_is_what_came_since_the_last_look(tmp_path: Path) -> None:
    assert since_last_look(tmp_path, {"base": 100}, NOW) == {}
    later = NOW + timedelta(days=2)
    assert since_last_look(tmp_path, {"base": 300, "new": 5}, later) == {"base": Growth(200, 2.0)}
    soon = later + timedelta(minutes=5)
    assert since_last_look(tmp_path, {"base": 310}, soon)["base"].size == 10
    assert since_last_look(tmp_path, {"base": 320}, soon)["base"].size == 20, "two looks in a row compare with the same"


def test_a_broken_note_of_sizes_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "doctor.json").write_text("[]")
    assert since_last_look(tmp_path, {"base": 1}, NOW) == {}


def test_how_long_the_room_lasts() -> None:
    assert Growth(100, 2.0).days_left(1000) == 20
    assert Growth(-5, 2.0).days_left(1000) is None


@pytest.mark.parametrize(("ahead", "state"), [(0.3, "ok"), (-1.9, "ok"), (-7.0, "warning"), (45.0, "fault")])
def test_clocks_that_differ(ahead: float, state: str) -> None:
    first = next(_clock(About("1.0.3", id="a", cleanup=("01:00", "05:00"), ahead=ahead)))
    assert (first[0], "chrony" in first[1]) == (state, state != "ok")


@pytest.mark.parametrize(
    ("url", "below"),
    [("http://127.0.0.1:8080/engine-rest", 0), ("https://host/engine-rest/", 0), ("https://host/flow/engine-rest", 1)],
)
def test_an_engine_below_a_path_needs_a_host_name_of_its_own(url: str, below: int) -> None:
    assert ["имя хоста" in said for _, said in _address(url)] == [True] * below


def test_history_that_is_never_cleaned_up_is_a_fault() -> None:
    assert [state for state, _ in _clock(About("1.0.3", id="a", ahead=0.0))] == ["ok", "fault"]


@pytest.mark.parametrize(
    ("age", "there", "state"), [(None, True, "warning"), (1, True, "ok"), (3, True, "warning"), (1, False, "warning")]
)
def test_the_age_of_the_backup(tmp_path: Path, age: int | None, there: bool, state: str) -> None:
    file = tmp_path / "backup.zip"
    if there:
        file.touch()
    if age is not None:
        at = datetime.now(UTC) - timedelta(days=age)
        (tmp_path / "last-backup.json").write_text(json.dumps({"at": at.isoformat(), "file": str(file)}))
    environ = {"DATA_DIR": str(tmp_path), "ENGINE_URL": "http://127.0.0.1:9/engine-rest"}
    with Parts(load({f"ORDER_ROUTE_{k}": v for k, v in environ.items()}, dotenv=None)) as parts:
        lines = examine(parts)
    (found,) = (line for line in lines if line.what == "Копия")
    assert found.state == state
    assert ("order-route backup" in found.says) == (state == "warning")
    by_matter = {line.what: line.state for line in lines}
    assert by_matter["Движок"] == "fault", "an engine that is away is said, not thrown"
    assert by_matter["Журнал эффектов"] == "ok"
