"""Rule: forty spoilt copies of the route, made by a seeded generator, are refused for the right reason; fifteen good
variants pass. All of them are read in one call, by our rules and by bpmnlint."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache

import pytest
from route_edits import VARIANT_FILE, route_xml, with_technologist

from diagram.bpmn import Diagram, Node
from diagram.check import SHOWN, FileReport, examine
from diagram.stages import SYNC_TOPIC
from orders.persons import GROUPS
from orders.twins import TWINS
from workers.handlers import registry

SEED, MUTANTS = 20261125, 40
KNOWN_GROUPS = frozenset({*GROUPS, "technologists"})
LATIN = {latin: cyrillic for cyrillic, latin in TWINS.items() if latin in "aceopxyTOCKMHB"}
Mutant = tuple[str, str | None, str]  # the text, the element that must be named, words of the problem or the remedy
Mutation = Callable[[random.Random, str, Diagram], Mutant]


def once(xml: str, old: str, new: str) -> str:
    """Replace the first occurrence; a mutation that finds nothing is a fault of this file."""
    assert old in xml, old
    return xml.replace(old, new, 1)


def attribute(xml: str, node: Node, name: str, value: str | None) -> str:
    """Change or remove one attribute of one element."""
    tag = re.search(rf'<bpmn:\w+ id="{node.id}"[^>]*>', xml)
    assert tag
    changed = re.sub(rf' {name}="[^"]*"', "" if value is None else f' {name}="{value}"', tag.group(0))
    assert changed != tag.group(0), (node.id, name)
    return xml.replace(tag.group(0), changed, 1)


def property_of(xml: str, node: Node, name: str, value: str) -> str:
    """Change one camunda:property of one user task."""
    begin = xml.index(f'id="{node.id}"')
    old = f'name="{name}" value="{node.properties[name]}"'
    place = xml.index(old, begin)
    return xml[:place] + f'name="{name}" value="{value}"' + xml[place + len(old) :]


def pick(rng: random.Random, diagram: Diagram, *, having: str = "", kind: str = "userTask") -> Node:
    """Choose a node of a kind that has a property."""
    return rng.choice([n for n in diagram.of_kind(kind) if not having or having in n.properties])


def twin(rng: random.Random, word: str) -> tuple[str, str]:
    """Put a Cyrillic twin letter into a word; return the word and what must be said about the letter."""
    place = rng.choice([n for n, letter in enumerate(word) if letter in LATIN])
    letter = LATIN[word[place]]
    return word[:place] + letter + word[place + 1 :], f"«{letter}» кириллическая, {place + 1}-я буква"


def twin_in_group(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = rng.choice([n for n in d.of_kind("userTask") if n.camunda("candidateGroups")])
    word, said = twin(rng, node.camunda("candidateGroups") or "")
    return attribute(xml, node, "camunda:candidateGroups", word), node.id, said


def twin_in_topic(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = rng.choice([n for n in d.of_kind("serviceTask") if n.topic])
    word, said = twin(rng, node.topic or "")
    return attribute(xml, node, "camunda:topic", word), node.id, said


def twin_in_id(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = pick(rng, d)
    word, said = twin(rng, node.id)
    return re.sub(rf"\b{node.id}\b", word, xml), word, said


def twin_in_demand(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = pick(rng, d, having="required")
    word, said = twin(rng, node.properties["required"])
    return property_of(xml, node, "required", word), node.id, said


def strange_condition(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    flow = rng.choice([f for f in d.flows.values() if f.condition])
    new, said = rng.choice([(" ==\u00a0", "неразрывный"), (" == ", "кавычка")])
    condition = str(flow.condition)
    wrong = condition.replace(" == ", new) if "\u00a0" in new else condition.replace("'", "’")
    return once(xml, condition, wrong), flow.id, said


def unknown_group(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = rng.choice([n for n in d.of_kind("userTask") if n.camunda("candidateGroups")])
    return attribute(xml, node, "camunda:candidateGroups", "painters"), node.id, "«painters»"


def unknown_topic(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = rng.choice([n for n in d.of_kind("serviceTask") if n.topic])
    return attribute(xml, node, "camunda:topic", f"{node.topic}s"), node.id, "никто не выполняет"


def property_gone(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    name, said = rng.choice([("label", "названия колонки"), ("norm", "норма"), ("stage", "нет свойства stage")])
    node = pick(rng, d, having=name)
    return property_of(xml, node, name, ""), node.id, said


def property_misspelt(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    name = rng.choice(["required", "commentOn", "waits"])
    node = pick(rng, d, having=name)
    begin = xml.index(f'id="{node.id}"')
    return xml[:begin] + once(xml[begin:], f'name="{name}"', f'name="{name}x"'), node.id, f"Наверное, {name}"


def sync_bypassed(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    sync = rng.choice(list(d.of_topic(SYNC_TOPIC)))
    (into,), (out,) = d.incoming(sync.id)[:1], d.outgoing(sync.id)
    old = f'sourceRef="{into.source}" targetRef="{sync.id}"'
    return once(xml, old, f'sourceRef="{into.source}" targetRef="{out.target}"'), out.target, "карточка не обновится"


def judge_bypassed(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    judge = rng.choice([n for n in d.of_topic("validate-attachments") if n.scope != d.process_id])
    (into,), (out,) = d.incoming(judge.id), d.outgoing(judge.id)
    wrong = f'sourceRef="{into.source}" targetRef="{out.target}"'
    return once(xml, f'sourceRef="{into.source}" targetRef="{judge.id}"', wrong), into.source, "никто не проверит"


def error_uncaught(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    event = rng.choice([n for n in d.of_kind("boundaryEvent") if n.definition("error") is not None])
    host = event.element.get("attachedToRef", "")
    begin = xml.index(f'id="{event.id}"')
    text = once(xml[begin:], 'errorRef="Error_', 'errorRef="Gone_')
    return xml[:begin] + text, host, "никто не ловит"


def drawing_gone(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = rng.choice([n for n in d.nodes.values() if n.kind in ("userTask", "serviceTask", "endEvent")])
    text = re.sub(rf'<bpmndi:BPMNShape id="{node.id}_di".*?</bpmndi:BPMNShape>', "", xml, flags=re.DOTALL)
    return text, node.id, "нет на рисунке"


def drawing_left_over(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = rng.choice(list(d.of_kind("endEvent")))
    return once(xml, f'bpmnElement="{node.id}"', 'bpmnElement="End_Deleted"'), "End_Deleted", "которого нет"


def code(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = pick(rng, d, kind="serviceTask")
    what, said = rng.choice(
        [
            ('camunda:class="a.B" ', "класс Java"),
            ('camunda:delegateExpression="${bean}" ', "делегат"),
            ('camunda:resultVariable="${a.b()}" ', "не разрешено"),
        ]
    )
    return once(xml, f'id="{node.id}" ', f'id="{node.id}" {what}'), node.id, said


def code_inside(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = pick(rng, d, having="stage")
    what, said = rng.choice(
        [
            ('<camunda:taskListener event="create" class="a.B" />', "слушатель"),
            ("<camunda:connector><camunda:connectorId>http</camunda:connectorId></camunda:connector>", "коннектор"),
            ('<camunda:inputOutput><camunda:inputParameter name="a" /></camunda:inputOutput>', "отображение"),
        ]
    )
    begin = xml.index(f'id="{node.id}"')
    inner = once(xml[begin:], "<camunda:properties>", f"{what}<camunda:properties>")
    return xml[:begin] + inner, node.id, said


def generated_id(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = pick(rng, d)
    return re.sub(rf"\b{node.id}\b", "Activity_0h19mxb", xml), "Activity_0h19mxb", "ничего не говорит"


def english_name(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = pick(rng, d)
    return attribute(xml, node, "name", "Check it"), node.id, "не по-русски"


def nameless(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = rng.choice([n for n in d.nodes.values() if n.kind in ("userTask", "serviceTask", "endEvent", "subProcess")])
    return attribute(xml, node, "name", None), node.id, "нет названия"


def foreign_file(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    zeebe = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    return rng.choice(
        [
            (once(xml, "<bpmn:definitions ", f"<bpmn:definitions {zeebe}"), None, "Camunda 8"),
            (xml.replace("camunda.org/schema/1.0/bpmn", "operaton.org/schema/1.0/bpmn"), None, "operaton:"),
            (once(xml, "<bpmn:definitions ", "<!DOCTYPE a><bpmn:definitions "), None, "DOCTYPE"),
            (xml[: rng.randrange(2000, 60000)], None, "не XML"),
            ("", None, "пуст"),
            (f"<!doctype html><html><body>{xml}</body></html>", None, "HTML"),
            (once(xml, 'isExecutable="true"', 'isExecutable="false"'), None, "нет исполняемого"),
        ]
    )


def decision_impossible(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    flow = rng.choice([f for f in d.flows.values() if f.condition])
    return once(xml, str(flow.condition), str(flow.condition).replace("approve", "aprove")), flow.source, "«aprove»"


def message_renamed(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    name = rng.choice(["OrderCancelled", "ReadyDateMoved", "OrderCorrected"])
    return once(xml, f'name="{name}"', f'name="{name}s"'), None, f"маршрут не слышит сообщение {name}"


def placeholder_unknown(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = rng.choice(list(d.of_topic("notify")))
    return property_of(xml, node, "text", "Заказ {kay} остановлен"), node.id, "{kay}"


def promise_nobody_gives(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = pick(rng, d, having="norm")
    return property_of(xml, node, "norm", "until:readyOn"), node.id, "«readyOn»"


def late_timer_lost(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    return xml.replace("BoundaryEvent_Late", "BoundaryEvent_Overdue"), "ServiceTask_FlagLateProduction", "таймер"


def step_split(rng: random.Random, xml: str, d: Diagram) -> Mutant:
    node = rng.choice([n for n in d.scope(d.process_id) if n.kind == "subProcess" and d.outgoing(n.id)])
    (out,) = d.outgoing(node.id)
    twice = f'<bpmn:sequenceFlow id="Flow_Twice" sourceRef="{node.id}" targetRef="{out.target}" />'
    edge = '<bpmndi:BPMNEdge id="Flow_Twice_di" bpmnElement="Flow_Twice"><di:waypoint x="1" y="1" />'
    text = once(xml, f'<bpmn:sequenceFlow id="{out.id}"', f'{twice}<bpmn:sequenceFlow id="{out.id}"')
    text = once(text, f"<bpmn:outgoing>{out.id}<", f"<bpmn:outgoing>Flow_Twice</bpmn:outgoing><bpmn:outgoing>{out.id}<")
    text = once(text, "</bpmndi:BPMNPlane>", f'{edge}<di:waypoint x="9" y="9" /></bpmndi:BPMNEdge></bpmndi:BPMNPlane>')
    return text, None, "больше одной стрелки"


MUTATIONS: tuple[Mutation, ...] = (
    *(twin_in_group, twin_in_topic, twin_in_id, twin_in_demand, strange_condition, unknown_group, unknown_topic),
    *(property_gone, property_misspelt, sync_bypassed, judge_bypassed, error_uncaught, drawing_gone),
    *(drawing_left_over, code, code_inside, generated_id, english_name, nameless, foreign_file, decision_impossible),
    *(message_renamed, placeholder_unknown, promise_nobody_gives, late_timer_lost, step_split),
)


@cache
def mutants(seed: int = SEED, count: int = MUTANTS) -> list[tuple[str, Mutant]]:
    """Return so many spoilt copies, every mutation at least once, always the same for a seed."""
    rng, xml = random.Random(seed), route_xml()
    diagram = Diagram(xml)
    chosen = [*MUTATIONS, *rng.choices(MUTATIONS, k=count - len(MUTATIONS))]
    return [(each.__name__, each(rng, xml, diagram)) for each in chosen]


def variants() -> dict[str, str]:
    """Return fifteen changes that an analyst may make."""
    xml, ship = route_xml(), '<camunda:property name="stage" value="ship" />'
    comment = '<camunda:property name="field.shipComment" value="text; Комментарий" />'
    return {
        "the route itself": xml,
        "a longer norm": once(xml, 'name="norm" value="3d"', 'name="norm" value="5d"'),
        "no deadline": once(xml, 'name="norm" value="4h"', 'name="norm" value="0h"'),
        "another group": once(xml, 'candidateGroups="shipping"', 'candidateGroups="workshop"'),
        "two groups": once(xml, 'candidateGroups="shipping"', 'candidateGroups="shipping, workshop"'),
        "another name": once(xml, 'name="Отгрузить заказ"', 'name="Отправить заказ"'),
        "another column": once(xml, 'value="Расчёт сметы у бухгалтера"', 'value="Смета"'),
        "one field more": once(xml, ship, ship + comment),
        "one demand more": once(xml, 'value="shippedOn"', 'value="shippedOn, shipmentNumber"'),
        "an empty property of a template": once(
            xml, ship, f'{ship}<camunda:property name="commentOn" value="" /><camunda:property name="waits" value="" />'
        ),
        "one more choice": once(xml, "visit=При встрече", "visit=При встрече, courier=Через курьера"),
        "another notice": once(xml, "отклонён директором. Причина", "не принят. Причина"),
        "saved in UTF-16": once(xml, 'encoding="UTF-8"', 'encoding="UTF-16"'),
        "a new approval": with_technologist(),
        "the price loop": VARIANT_FILE.read_text(encoding="utf-8"),
    }


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[FileReport]:
    """Reports on all mutants, then on all variants, from one call."""
    folder, paths = tmp_path_factory.mktemp("mutants"), []
    texts = [mutant[0] for _, mutant in mutants()] + list(variants().values())
    for number, text in enumerate(texts):
        path = folder / str(number) / "custom-furniture-order.bpmn"
        path.parent.mkdir()
        path.write_bytes(text.encode("utf-16" if 'encoding="UTF-16"' in text[:60] else "utf-8"))
        paths.append(path)
    return examine(paths, KNOWN_GROUPS, registry().topics)


def test_the_generator_repeats_itself() -> None:
    """A seed gives the same forty copies; another one gives others; none equals the route."""
    again = mutants.__wrapped__(SEED, MUTANTS)
    assert mutants() == again
    assert mutants() != mutants(SEED + 1)
    assert len(mutants()) == MUTANTS
    assert route_xml() not in [mutant[0] for _, mutant in mutants()]


@pytest.mark.parametrize("number", range(MUTANTS))
def test_each_mutant_is_refused_for_its_reason(reports: list[FileReport], number: int) -> None:
    """The element is named, the reason is right, the report is short and Russian."""
    name, (_, element, words) = mutants()[number]
    report = reports[number]
    hits = [
        f for f in report.findings if words in f"{f.problem}. {f.remedy}" and (not element or f.element_id == element)
    ]
    assert hits, (name, element, words, report.lines())
    assert len(report.lines()) <= SHOWN
    assert all(re.search(r"[а-яё]", f.problem) and f.remedy for f in report.findings)


@pytest.mark.parametrize("number", range(len(variants())))
def test_each_variant_passes(reports: list[FileReport], number: int) -> None:
    """What an analyst may do is not refused."""
    report = reports[MUTANTS + number]
    assert report.lines() == [f"{report.file}: {report.what}, всё в порядке"], list(variants())[number]
    assert len(variants()) == 15
