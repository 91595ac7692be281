"""Deployment: all files of the analyst's folder in one call, refused readably, and nothing deployed is noticed.

The engine answers 200 for a diagram that is not executable and 500 without details for broken XML; both are found
here before anything is sent. Forms and diagrams travel together, otherwise a changed form would not reach the
running definition (`deploy-changed-only` keeps the old one).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import pycamunda.deployment
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from engine.calls import Caller
from engine.errors import ModelRefused, Problem
from engine.processes import Definition, Processes
from engine.rest import path_id

SHORT_LIVED = ("reconcile-portal", "send-digest")  # their history is noise after a day
_BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
_STARTERS = (
    "{http://camunda.org/schema/1.0/bpmn}candidateStarterGroups",
    "{http://operaton.org/schema/1.0/bpmn}candidateStarterGroups",
)
_UPLOAD_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deployment left: its id, whether anything was new, and the newest version of each process in it."""

    id: str
    new: bool
    definitions: tuple[Definition, ...]


class Deployments:
    """Calls on deployments."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create(self, name: str, files: Mapping[str, bytes], *, source: str = "order-route") -> dict[str, Any]:
        """Deploy files under their names with duplicate filtering; raises ModelRefused. Returns the raw answer."""
        request = self._caller.build(
            pycamunda.deployment.Create, name=name, source=source, enable_duplicate_filtering=True
        )
        for file, data in files.items():
            request.add_resource((file, data, "application/octet-stream"))
        answer: dict[str, Any] = self._caller.send(request, "POST", timeout=_UPLOAD_SECONDS).json()
        return answer

    def delete(self, deployment_id: str) -> None:
        """Delete a deployment that nothing runs on."""
        self._caller.rest("DELETE", f"/deployment/{path_id(deployment_id)}")

    def newest(self, name: str) -> str | None:
        """Read the id of the newest deployment with this name."""
        query = {"name": name, "sortBy": "deploymentTime", "sortOrder": "desc", "maxResults": 1}
        rows = self._caller.rest("GET", "/deployment", params=query).json()
        return str(rows[0]["id"]) if rows else None

    def resources(self, deployment_id: str) -> dict[str, str]:
        """Read the names of a deployment's files with their resource ids."""
        rows = self._caller.rest("GET", f"/deployment/{path_id(deployment_id)}/resources").json()
        return {row["name"]: row["id"] for row in rows}

    def resource(self, deployment_id: str, resource_id: str) -> bytes:
        """Read the bytes of one deployed file."""
        path = f"/deployment/{path_id(deployment_id)}/resources/{path_id(resource_id)}/data"
        return self._caller.rest("GET", path).content


def folder_files(folder: Path) -> list[Path]:
    """Return what is deployed from the analyst's folder: every diagram, and every form beside them."""
    return [*sorted(folder.glob("*.bpmn")), *sorted((folder / "forms").glob("*.html"))]


def deploy(client: Any, files: Iterable[Path], *, name: str, ttl_days: int) -> Deployed:
    """Deploy files under one name and set how long the history of their processes is kept (days).

    Safe to repeat: an unchanged set makes no new version. Raises ModelRefused with every problem named.
    """
    content = {path.name: path.read_bytes() for path in files}
    problems = [p for file, data in content.items() if file.endswith(".bpmn") for p in preflight(file, data)]
    if problems or not any(file.endswith(".bpmn") for file in content):
        raise ModelRefused(problems or [Problem(name, "нет ни одной диаграммы (*.bpmn)")], status=None)
    answer = Deployments(client.caller).create(name, content)
    processes = Processes(client.caller)
    definitions = tuple(processes.definitions(deploymentId=answer["id"]))
    _check_all_there(content, definitions)
    for definition in definitions:
        processes.set_time_to_live(definition.id, 1 if definition.key in SHORT_LIVED else ttl_days)
    return Deployed(answer["id"], bool(answer.get("deployedProcessDefinitions")), definitions)


def publish(client: Any, name: str, file: str, data: bytes) -> bool:
    """Keep one file in the engine under a deployment's name, for its pages; tell whether it is new there."""
    deployments = Deployments(client.caller)
    before = deployments.newest(name)
    if before is not None:
        known = deployments.resources(before).get(file)
        if known is not None and deployments.resource(before, known) == data:
            return False
    deployments.create(name, {file: data})
    if before is not None:
        deployments.delete(before)
    return True


def preflight(file: str, data: bytes) -> list[Problem]:
    """Find what the engine would swallow or answer without details: broken XML, nothing executable."""
    try:
        root = fromstring(data)
    except ParseError as error:
        return [Problem(file, f"файл не читается как XML ({error.msg})", error.position[0])]
    except (DefusedXmlException, ValueError) as error:
        return [Problem(file, f"в файле есть то, чего в диаграмме быть не должно: {type(error).__name__}")]
    if not any(p.get("isExecutable") == "true" for p in root.iter(f"{_BPMN}process")):
        return [Problem(file, "нет исполняемого процесса: в свойствах процесса включите «Executable»")]
    return []


def starters(xml: str | bytes) -> dict[str, tuple[str, ...]]:
    """Read who may start each process of a diagram: its `candidateStarterGroups`."""
    root: Element = fromstring(xml)
    return {p.get("id", ""): _groups(p) for p in root.iter(f"{_BPMN}process")}


def deployed_starters(client: Any) -> dict[str, tuple[str, ...]]:
    """Read who may start what from the newest version of every deployed process."""
    processes = Processes(client.caller)
    found: dict[str, tuple[str, ...]] = {}
    for definition in processes.definitions(latestVersion=True):
        found[definition.key] = starters(processes.xml(definition.id)).get(definition.key, ())
    return found


def _groups(process: Element) -> tuple[str, ...]:
    text = next((process.get(name, "") for name in _STARTERS if process.get(name)), "")
    return tuple(g.strip() for g in text.split(",") if g.strip())


def _check_all_there(content: Mapping[str, bytes], definitions: Iterable[Definition]) -> None:
    there = {d.resource for d in definitions}
    missing = [file for file in content if file.endswith(".bpmn") and file not in there]
    if missing:
        raise ModelRefused([Problem(file, "движок принял файл, но процесса в нём не нашёл") for file in missing])
