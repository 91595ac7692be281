"""What a file is, in a few Russian words: the first line of its report, whatever the file holds."""

from __future__ import annotations

import re
from collections.abc import Collection
from io import BytesIO
from typing import TYPE_CHECKING

from defusedxml.ElementTree import iterparse

from diagram.bpmn import BPMN, parse, reading
from diagram.errors import DiagramError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAIN_PROCESS = "custom-furniture-order"
CAMUNDA_8 = "http://camunda.org/schema/zeebe/1.0"
OPERATON = "http://operaton.org/schema/1.0/bpmn"
PLATFORM = "{http://camunda.org/schema/modeler/1.0}executionPlatform"
HEADS = {
    b"%PDF": "документ PDF",
    b"PK\x03\x04": "архив ZIP или документ Office",
    b"\x89PNG": "картинка PNG",
    b"\xff\xd8\xff": "картинка JPEG",
    b"\x1f\x8b": "архив gzip",
    b"MZ": "программа",
    b"{": "файл JSON",
}
HTML = re.compile(rb"\s*(<!doctype\s+html|<html[\s>/])", re.IGNORECASE)
DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)", re.IGNORECASE)
ENCODING = re.compile(r"(\A<\?xml[^>]*encoding\s*=\s*[\"'])[A-Za-z0-9._-]+", re.IGNORECASE)
WIDE = (b"\xff\xfe", b"\xfe\xff")
NEW = "Нужна схема для Camunda 7: New diagram → BPMN diagram (Camunda Platform 7)"


def foreign(data: bytes) -> None:
    """Raise DiagramError where the file is no diagram, or one for another engine."""
    if not data.strip():
        raise DiagramError("файл пуст", "Сохраните схему заново в Camunda Modeler")
    if b"\0" in data[:4096] and not data.startswith(WIDE):
        raise DiagramError("это не XML, а двоичный файл", "Нужен файл .bpmn из Camunda Modeler")
    for head, what in HEADS.items():
        if data.startswith(head):
            raise DiagramError(f"это не XML, а {what}", "Нужен файл .bpmn из Camunda Modeler")
    if HTML.match(data):
        raise DiagramError("это страница HTML, а не схема BPMN", "Скачайте сам файл .bpmn, а не страницу с ним")
    _encoding(data)
    spaces, platforms = _marks(data)
    if CAMUNDA_8 in spaces or any("Cloud" in platform for platform in platforms):
        raise DiagramError("это схема для Camunda 8", NEW)
    if OPERATON in spaces:
        remedy = "Замените на http://camunda.org/schema/1.0/bpmn, префикс camunda:"
        raise DiagramError("в файле пространство имён operaton:", remedy)


def _encoding(data: bytes) -> None:
    """Raise DiagramError where the bytes are not what the first line says; UTF-16 goes by its mark."""
    if data.startswith(WIDE):
        return
    declared = DECLARED.match(data.removeprefix(b"\xef\xbb\xbf"))
    name = declared[1].decode("ascii") if declared else "UTF-8"
    try:
        data.decode(name)
    except LookupError:
        raise DiagramError(f"кодировка «{name}» неизвестна", "Сохраните файл в UTF-8") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DiagramError(f"файл не в кодировке {name} (строка {line})", "Сохраните файл в UTF-8") from None


def _marks(data: bytes) -> tuple[set[str], set[str]]:
    """Return the namespaces that a file declares and the platforms that it names. Raises DiagramError."""
    spaces, platforms = set(), set()
    with reading():
        for event, found in iterparse(BytesIO(data), events=("start-ns", "start"), forbid_dtd=True):
            if event == "start-ns":
                spaces.add(found[1])
            elif found.get(PLATFORM):
                platforms.add(found.get(PLATFORM))
    return spaces, platforms


def text_of(data: bytes) -> str:
    """Return the text of a diagram that `foreign` let pass, as one that is kept in UTF-8."""
    declared = DECLARED.match(data.removeprefix(b"\xef\xbb\xbf"))
    name = "utf-16" if data.startswith(WIDE) else declared[1].decode("ascii") if declared else "utf-8"
    return ENCODING.sub(r"\g<1>UTF-8", data.decode(name).removeprefix("\ufeff"), count=1)


def what_failed(data: bytes, error: DiagramError) -> str:
    """Say what a file is that could not be read as a diagram of one executable process."""
    try:
        foreign(data)
        return what_is(parse(data))
    except DiagramError as why:
        problem = why.problem or error.problem
        return "файл для Camunda 8" if "Camunda 8" in problem else problem.removeprefix("это ")


def what_is(root: Element, known: Collection[str] = ()) -> str:
    """Say what a file is, by its outermost element. `known`: ids of the processes that the programs work for."""
    if root.tag != f"{BPMN}definitions":
        return "XML, но не схема BPMN"
    processes = list(root.iter(f"{BPMN}process"))
    executable = [each for each in processes if each.get("isExecutable") == "true"]
    if not processes:
        return "схема BPMN, в которой нет процесса"
    if not executable:
        return f"черновик без исполняемого процесса, нет процесса {MAIN_PROCESS}"
    if len(executable) > 1:
        return f"схема, в которой исполняемых процессов {len(executable)}"
    id_, name = executable[0].get("id", ""), " ".join(executable[0].get("name", "").split())
    if id_ == MAIN_PROCESS:
        return f"маршрут заказа «{name}» ({id_})"
    if id_ in known:
        return f"вспомогательный процесс «{name}» ({id_})"
    return f"чужая схема «{name}» ({id_}), нет процесса {MAIN_PROCESS}"
