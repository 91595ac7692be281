"""Rule: whatever file an analyst points at, the report says first what it is, stays short, and never breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from route_edits import route_xml

from diagram import check, lint
from diagram.check import SHOWN, FileReport, examine
from diagram.lint import LintMissing
from orders.persons import GROUPS
from workers.handlers import registry

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" '
    'xmlns:di="http://www.omg.org/spec/DD/20100524/DI" id="D" targetNamespace="http://a">'
)
TAIL = "</bpmn:definitions>"
STEPS = (
    '<bpmn:process id="Sample" name="Образец" isExecutable="true"><bpmn:startEvent id="S"/>'
    '<bpmn:userTask id="T" name="Проверить"/><bpmn:sequenceFlow id="F" sourceRef="S" targetRef="T"/></bpmn:process>'
)
LOOSE = '<bpmndi:BPMNDiagram id="A"/><bpmndi:BPMNDiagram id="B"><bpmndi:BPMNPlane id="P" bpmnElement="Gone">'
MANY = "".join(f'<bpmn:task id="T{n}"/>' for n in range(3000))
CP1251 = route_xml().replace('encoding="UTF-8"', "").encode("cp1251", "replace")
ZEEBE = HEAD.replace(" id=", ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id=') + TAIL
CROWD = HEAD + STEPS.replace("<bpmn:userTask", MANY + "<bpmn:userTask", 1) + TAIL
UNPLACED = HEAD + STEPS + LOOSE + "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>" + TAIL
FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "файл пуст"),
    "blank": (b" \n\n", "файл пуст"),
    "binary": (b"\x00\x01\x02\x03" * 100, "двоичный файл"),
    "pdf": (b"%PDF-1.7 ...", "документ PDF"),
    "zip": (b"PK\x03\x04 ...", "архив ZIP"),
    "page": (b"<!DOCTYPE html>\n<html><body>404</body></html>", "страница HTML"),
    "json": (b'{"nodes": []}', "файл JSON"),
    "text": ("Просто текст".encode(), "не XML"),
    "cut": (route_xml().encode()[:9000], "не XML"),
    "other xml": (b"<project><a/></project>", "XML, но не схема BPMN"),
    "doctype": (b'<!DOCTYPE d [<!ENTITY e "x">]><d>&e;</d>', "DOCTYPE"),
    "undeclared cp1251": (CP1251, "не в кодировке UTF-8"),
    "unknown encoding": (route_xml().replace('"UTF-8"', '"KOI-9"').encode(), "«KOI-9» неизвестна"),
    "deep": (b"<a>" * 50_000 + b"</a>" * 50_000, "XML, но не схема BPMN"),
    "no process": ((HEAD + TAIL).encode(), "нет процесса"),
    "draft": ((HEAD + STEPS.replace("true", "false") + TAIL).encode(), "черновик без исполняемого процесса"),
    "two": ((HEAD + STEPS + STEPS.replace("Sample", "Other") + TAIL).encode(), "исполняемых процессов 2"),
    "foreign": ((HEAD + STEPS + TAIL).encode(), "чужая схема «Образец» (Sample), нет процесса custom-furniture-order"),
    "loose drawing": (UNPLACED.encode(), "чужая схема"),
    "camunda 8": (ZEEBE.encode(), "Camunda 8"),
    "many faults": (CROWD.encode(), "чужая схема"),
}  # fmt: skip


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FileReport]:
    """Reports on all files, from one call."""
    folder, paths = tmp_path_factory.mktemp("files"), []
    for name, (data, _) in FILES.items():
        path = folder / f"{name}.bpmn"
        path.write_bytes(data)
        paths.append(path)
    return dict(zip(FILES, examine(paths, GROUPS, registry().topics), strict=True))


@pytest.mark.parametrize("name", FILES)
def test_the_first_line_says_what_it_is(reports: dict[str, FileReport], name: str) -> None:
    """One file, one short report with at least one finding."""
    lines = reports[name].lines()
    assert FILES[name][1] in lines[0], lines[0]
    assert reports[name].findings
    assert len(lines) <= SHOWN


def test_the_rest_is_counted(reports: dict[str, FileReport]) -> None:
    """Of thousands of faults a few are shown and the number of the others is said."""
    report = reports["many faults"]
    assert len(report.findings) > 3000
    lines = report.lines()
    assert lines[-1] == f"  и ещё {len(report.findings) - (len(lines) - 2)}"


def test_cp1251_is_read_when_it_is_named(tmp_path: Path) -> None:
    """An old editor's encoding is fine as long as the file says which."""
    text = route_xml().replace('encoding="UTF-8"', 'encoding="windows-1251"').replace("₽", "руб.")
    path = tmp_path / "custom-furniture-order.bpmn"
    path.write_bytes(text.encode("cp1251"))
    (report,) = examine([path], GROUPS, registry().topics)
    assert report.findings == ()


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit the size is the finding."""
    monkeypatch.setattr(check, "MAX_BYTES", 100)
    path = tmp_path / "a.bpmn"
    path.write_bytes(b"x" * 101)
    (report,) = examine([path], GROUPS, registry().topics)
    assert "больше 10 МиБ" in report.lines()[0]


def test_without_node_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No Node.js, no packages, a Node that breaks: one sentence each, never silence."""
    path = tmp_path / "custom-furniture-order.bpmn"
    path.write_text(route_xml(), encoding="utf-8")
    look = [path], GROUPS, registry().topics
    with monkeypatch.context() as patch:
        patch.setattr(lint.shutil, "which", lambda _: None)
        with pytest.raises(LintMissing, match=r"нет Node\.js"):
            examine(*look)
        assert examine(*look, linted=False)[0].findings == ()
    with monkeypatch.context() as patch:
        patch.setattr(lint, "MODULES", tmp_path / "gone")
        with pytest.raises(LintMissing, match="npm ci"):
            examine(*look)
    monkeypatch.setattr(lint, "SCRIPT", tmp_path / "gone.js")
    with pytest.raises(LintMissing, match="не отработал"):
        examine(*look)
