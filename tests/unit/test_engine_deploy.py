"""What the engine would swallow or answer without details is found before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.deploy import deploy, folder_files, preflight, starters
from engine.errors import ModelRefused

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:c="http://camunda.org/schema/1.0/bpmn">'


def model(attributes: str) -> bytes:
    return f'{HEAD}<process id="p" {attributes}/></definitions>'.encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (model('isExecutable="true"')[:-9], "не читается как XML"),
        (b"", "не читается как XML"),
        (model('isExecutable="false"'), "нет исполняемого процесса"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "чего в диаграмме быть не должно"),
    ],
)
def test_a_bad_file_is_named_with_its_reason(data: bytes, said: str) -> None:
    problems = preflight("order.bpmn", data)
    assert len(problems) == 1
    assert str(problems[0]).startswith("order.bpmn: ") and said in str(problems[0])


def test_a_good_file_has_no_problems() -> None:
    assert preflight("order.bpmn", model('isExecutable="true"')) == []


def test_nothing_is_sent_while_a_file_is_bad(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.bpmn", tmp_path / "bad.bpmn"
    good.write_bytes(model('isExecutable="true"'))
    bad.write_bytes(model('isExecutable="false"'))
    with pytest.raises(ModelRefused, match=r"^bad\.bpmn: "):
        deploy(None, [good, bad], name="n", ttl_days=1)


def test_a_set_without_a_diagram_is_refused(tmp_path: Path) -> None:
    form = tmp_path / "stage.html"
    form.write_text("<form/>")
    with pytest.raises(ModelRefused, match="нет ни одной диаграммы"):
        deploy(None, [form], name="n", ttl_days=1)


def test_diagrams_and_forms_travel_together(tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    for name in ("b.bpmn", "a.bpmn", "a.svg", "forms/stage.html", "README.md"):
        (tmp_path / name).write_text("")
    assert [p.name for p in folder_files(tmp_path)] == ["a.bpmn", "b.bpmn", "stage.html"]


def test_starters_are_read_from_the_diagram() -> None:
    assert starters(model('c:candidateStarterGroups="directors, commercial"')) == {"p": ("directors", "commercial")}
    assert starters(model("")) == {"p": ()}
