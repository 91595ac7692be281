"""What the tests of the models share: the files as they stand in the repository, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagram.bpmn import Diagram
from diagram.stages import read_route
from orders.stage import Route

BPMN_FOLDER = Path(__file__).parents[2] / "bpmn"


@pytest.fixture(scope="session")
def models() -> list[Path]:
    """All models of the analyst's folder."""
    return sorted(BPMN_FOLDER.glob("*.bpmn"))


@pytest.fixture(scope="session")
def route_file() -> Path:
    """The file of the route."""
    return BPMN_FOLDER / "custom-furniture-order.bpmn"


@pytest.fixture(scope="session")
def diagram(route_file: Path) -> Diagram:
    """The route as nodes and flows."""
    return Diagram(route_file.read_bytes())


@pytest.fixture(scope="session")
def route(route_file: Path) -> Route:
    """The route as code sees it."""
    return read_route(route_file.read_bytes())
