"""Rule: the element templates load in Camunda Modeler, know our groups and topics, and make what `check` accepts."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from route_edits import ROOT, TECHNOLOGIST, replaced, route_xml, with_technologist

from diagram.check import check_bytes
from diagram.references import PREFIXES
from engine.deploy import folder_files
from orders.persons import GROUPS
from workers.handlers import registry

FOLDER = ROOT / "bpmn" / "element-templates"
FILES = {"stage", "sync-stage", "validate-attachments", "notify", "late-timer"}
OFFICE = {"orderCreators", "analysts", "auditors", "operators"}  # groups that hold no step of an order
VALIDATE = """
const { validateAll } = require('@bpmn-io/element-templates-validator');
const { results } = validateAll(JSON.parse(require('node:fs').readFileSync(0, 'utf8')));
const said = results.map(({ valid, errors }) => ({ valid, errors: (errors || []).map((e) => e.message) }));
process.stdout.write(JSON.stringify(said));
"""
KNOWN = frozenset({*GROUPS, "technologists"})


def templates() -> dict[str, dict[str, Any]]:
    """Return all templates by their id."""
    found = [t for path in sorted(FOLDER.glob("*.json")) for t in json.loads(path.read_text(encoding="utf-8"))]
    return {template["id"].removeprefix("order-route."): template for template in found}


def validated(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ask the Modeler's own validator, in one Node process."""
    sent = json.dumps(listed)
    argv = ["node", "-e", VALIDATE]
    done = subprocess.run(argv, input=sent, capture_output=True, text=True, cwd=ROOT / "diagram", timeout=60)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_the_modeler_takes_them() -> None:
    """All are valid against its schema, and the validator is one that says no."""
    assert {path.stem for path in FOLDER.glob("*.json")} == FILES
    listed = list(templates().values())
    spoilt = json.loads(json.dumps(listed[0]))
    spoilt["properties"][0]["type"] = "Number"
    *ours, wrong = validated([*listed, spoilt])
    assert [each for each in ours if not each["valid"]] == []
    assert not wrong["valid"]


def test_groups_and_topics_are_ours() -> None:
    """Whom a template offers is a department; what it makes a program do has a handler."""
    (people,) = [p for p in templates()["stage"]["properties"] if p["binding"]["name"] == "camunda:candidateGroups"]
    assert {choice["value"]: choice["name"] for choice in people["choices"]} == {
        group: name for group, name in GROUPS.items() if group not in OFFICE
    }
    bound = [p for t in templates().values() for p in t["properties"] if p["binding"]["name"] == "camunda:topic"]
    assert {p["value"] for p in bound} <= registry().topics
    assert {p["value"] for p in bound} >= {"sync-stage", "validate-attachments", "notify", "flag-late-production"}


def test_a_stage_made_by_the_template_passes() -> None:
    """Applied as the Modeler does it (untouched values stay as `""`), the template gives a stage without findings."""
    template = templates()["stage"]
    fields = {name: value for name, value in TECHNOLOGIST.properties.items() if name.startswith("field.")}
    filled = {"stage": "technology", "label": "Согласование технолога", "required": "technologyFile"}
    rows, attributes = {}, {}
    for each in template["properties"]:
        name = each["binding"]["name"]
        target = rows if each["binding"]["type"] == "camunda:property" else attributes
        target[name] = filled.get(name, each.get("value", ""))
        pattern = each.get("constraints", {}).get("pattern")
        assert not pattern or re.fullmatch(pattern["value"], target[name]), name
    written = "".join(
        f"<camunda:property name={quoteattr(k)} value={quoteattr(v)} />" for k, v in {**rows, **fields}.items()
    )
    xml = with_technologist(route_xml())
    begin = xml.index('<bpmn:userTask id="UserTask_ApproveTechnology"')
    task = xml[begin : xml.index("</bpmn:userTask>", begin)]
    made = re.sub(
        r"<camunda:properties>.*</camunda:properties>", f"<camunda:properties>{written}</camunda:properties>", task
    )
    made = re.sub(r'camunda:(candidateGroups|formKey)="[^"]*" ?', "", made)
    given = "".join(f" {k}={quoteattr(v)}" for k, v in attributes.items())
    stamp = f' camunda:modelerTemplate="{template["id"]}" camunda:modelerTemplateVersion="1"'
    made = made.replace("<bpmn:userTask", f"<bpmn:userTask{given}{stamp}", 1)
    assert 'value=""' in made
    assert (
        check_bytes("custom-furniture-order.bpmn", replaced(xml, task, made).encode(), KNOWN, registry().topics) == []
    )


def test_a_variant_is_not_deployed_by_itself() -> None:
    """An analyst puts it in the route's place; until then it only lies there."""
    variants = list((ROOT / "bpmn" / "variants").glob("*.bpmn"))
    assert variants
    assert not set(variants) & set(folder_files(ROOT / "bpmn"))


def test_the_guide_names_what_there_is() -> None:
    """The analyst's guide speaks of every template, command and id prefix, in Russian."""
    guide = (ROOT / "bpmn" / "README.md").read_text(encoding="utf-8")
    for path in (*FOLDER.glob("*.json"), *(ROOT / "bpmn" / "variants").glob("*.bpmn")):
        assert path.name in guide, path.name
    for command in ("check", "diff", "deploy", "migrate", "bootstrap"):
        assert f"order-route {command}" in guide
    for prefix in (PREFIXES["userTask"], PREFIXES["serviceTask"]):
        assert prefix[0] in guide
    assert Path(ROOT / "bpmn" / "README.md").stat().st_size < 12_000
