"""The versions of the route that a made history goes through: what an analyst changes in two years."""

from __future__ import annotations

from pathlib import Path

from app.demo.past.shop import shop_diagrams
from app.paths import BPMN

_ROUTE = "custom-furniture-order.bpmn"
_VARIANT = BPMN / "variants" / "custom-furniture-order-renegotiation.bpmn"


def versions(folder: Path) -> list[list[Path]]:
    """Write the diagrams of each version into `folder`; return the files to deploy, oldest version first.

    At first design had five days and the estimate three; then price could be negotiated anew; then as it is today.
    """
    today = shop_diagrams()
    first = folder / "1" / _ROUTE
    second = folder / "2" / _ROUTE
    for file in (first, second):
        file.parent.mkdir(parents=True)
    text = (BPMN / _ROUTE).read_text(encoding="utf-8")
    first.write_text(_norm(_norm(text, "design", "5d"), "estimate", "3d"), encoding="utf-8")
    second.write_text(_VARIANT.read_text(encoding="utf-8"), encoding="utf-8")
    return [[first, *[f for f in today if f.name != _ROUTE]], [second], today]


def _norm(text: str, stage: str, norm: str) -> str:
    """Return the diagram with another norm of one stage."""
    head, found, tail = text.partition(f'<camunda:property name="stage" value="{stage}" />')
    if not found:
        raise ValueError(stage)
    place = tail.index('name="norm" value="') + len('name="norm" value="')
    return head + found + tail[:place] + norm + tail[tail.index('"', place) :]
