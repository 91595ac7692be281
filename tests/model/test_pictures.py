"""Rule: the pictures beside the models are drawn from these very files, whole, and nothing in them overlaps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from diagram.bpmn import BPMN, DI, SCOPES, Diagram
from diagram.render import Painter, model_hash, painter, picture_paths, stamp

BOUNDS = "{http://www.omg.org/spec/DD/20100524/DC}Bounds"
WAYPOINT = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
SIZES = {"Task": (100, 80), "subProcess": (100, 80), "Event": (36, 36), "Gateway": (50, 50)}


@pytest.fixture(scope="module")
def artist() -> Iterator[Painter]:
    """One open browser for all drawings."""
    with painter() as opened:
        yield opened


def shapes(diagram: Diagram) -> dict[str, Element]:
    """Return node id -> its shape."""
    return {shape.get("bpmnElement", ""): shape for shape in diagram.root.iter(f"{DI}BPMNShape")}


def test_every_picture_is_fresh(models: list[Path]) -> None:
    """After a change of a model its pictures are drawn again: `python -m diagram.render`."""
    for model in models:
        expected = model_hash(model.read_text(encoding="utf-8"))
        for path in picture_paths(model).values():
            assert path.is_file(), path.name
            assert stamp(path.read_text(encoding="utf-8")) == expected, f"{path.name}: python -m diagram.render"


def test_no_picture_is_left_over(models: list[Path]) -> None:
    """A removed stage leaves no picture behind."""
    folder = models[0].parent
    expected = {path for model in models for path in picture_paths(model).values()}
    assert {*folder.glob("*.svg"), *folder.glob("pictures/*")} == expected


def test_drawing_is_complete(models: list[Path]) -> None:
    """Each node has a shape with bounds, each flow an edge, each collapsed sub-process a plane of its own."""
    for diagram in (Diagram(model.read_bytes()) for model in models):
        drawn = shapes(diagram)
        edges = {edge.get("bpmnElement"): edge for edge in diagram.root.iter(f"{DI}BPMNEdge")}
        planes = [plane.get("bpmnElement") for plane in diagram.root.iter(f"{DI}BPMNPlane")]
        assert all(drawn[id_].find(BOUNDS) is not None for id_ in diagram.nodes)
        assert all(len(edges[id_].findall(WAYPOINT)) >= 2 for id_ in diagram.flows)
        inner = [node.id for node in diagram.nodes.values() if node.kind in SCOPES]
        assert sorted(planes) == sorted([diagram.process_id, *inner])
        assert all(drawn[id_].get("isExpanded") == "false" for id_ in inner)


def test_flows_are_written_at_both_ends(models: list[Path]) -> None:
    """The Modeler and bpmnlint want `incoming` and `outgoing` on each node."""
    for diagram in (Diagram(model.read_bytes()) for model in models):
        for node in diagram.nodes.values():
            for tag, flows in (("incoming", diagram.incoming(node.id)), ("outgoing", diagram.outgoing(node.id))):
                written = [child.text for child in node.element.findall(f"{BPMN}{tag}")]
                assert sorted(filter(None, written)) == sorted(flow.id for flow in flows), node.id


def test_shapes_have_their_standard_size(models: list[Path]) -> None:
    """A picture of equal shapes reads calmly."""
    for diagram in (Diagram(model.read_bytes()) for model in models):
        drawn = shapes(diagram)
        for node in diagram.nodes.values():
            size = next(size for ending, size in SIZES.items() if node.kind.endswith(ending))
            bounds = drawn[node.id].find(BOUNDS)
            assert bounds is not None
            assert (float(bounds.get("width", "")), float(bounds.get("height", ""))) == size, node.id


def test_happy_path_is_straight(diagram: Diagram) -> None:
    """The way of a delivered order runs on two straight lines, left to right."""
    drawn = shapes(diagram)
    here, line = diagram.nodes["StartEvent_OrderRequested"], []
    while True:
        bounds = drawn[here.id].find(BOUNDS)
        assert bounds is not None
        middle = float(bounds.get("y", "")) + float(bounds.get("height", "")) / 2
        line.append((middle, float(bounds.get("x", ""))))
        flows = [flow for flow in diagram.outgoing(here.id) if flow.id != here.attribute("default")]
        if not flows:
            break
        here = diagram.nodes[flows[0].target]
    assert here.id == "End_Delivered"
    assert len({middle for middle, _ in line}) == 2
    assert line == sorted(line)


@pytest.mark.browser
def test_nothing_overlaps(models: list[Path], artist: Painter) -> None:
    """No label on an edge, no crossing edges, no text over an icon, on any plane of a model or a variant."""
    drawn = [*models, *sorted((models[0].parent / "variants").glob("*.bpmn"))]
    assert len(drawn) > len(models)
    clashes = [
        clash for model in drawn for plane in artist.draw(model.read_text(encoding="utf-8")) for clash in plane.clashes
    ]
    assert clashes == []


@pytest.mark.browser
def test_kept_pictures_are_what_is_drawn(route_file: Path, artist: Painter) -> None:
    """The kept picture is the drawing itself: the same model gives the same file."""
    kept = picture_paths(route_file)
    for plane in artist.draw(route_file.read_text(encoding="utf-8")):
        assert kept[plane.id].read_text(encoding="utf-8") == plane.svg, plane.id


@pytest.mark.browser
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name="Отгрузить заказ"', 'name="Отгрузить заказ со склада в день"', "text over the icon: UserTask_Ship"),
        (
            'name="Отгрузка"',
            'name="Отгрузка готового заказа со склада в другой город"',
            "text over the marker: Stage_Ship",
        ),
        ('<dc:Bounds x="1066" y="210"', '<dc:Bounds x="1200" y="210"', "shape over shape"),
        ('y="150" />', 'y="250" />', "edges overlap"),
        ('<di:waypoint x="1910" y="655" />', '<di:waypoint x="1910" y="500" />', "edges cross"),
        (
            'name="да" sourceRef="Gateway_PriceDecision"',
            'name="да, согласен" sourceRef="Gateway_PriceDecision"',
            "label over",
        ),
    ],
)
def test_planted_faults_are_seen(route_file: Path, artist: Painter, old: str, new: str, words: str) -> None:
    """The look that finds nothing in our pictures finds what is really wrong."""
    xml = route_file.read_text(encoding="utf-8")
    assert old in xml
    clashes = [clash for plane in artist.draw(xml.replace(old, new)) for clash in plane.clashes]
    assert any(words in clash for clash in clashes), clashes
