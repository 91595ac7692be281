"""Draw every plane of a diagram with bpmn-js in headless Chromium: SVG beside the model, made from the same file.

`python -m diagram.render [FILES]` writes `order.svg` beside `order.bpmn` and one picture per sub-process into
`pictures/`; each carries the SHA-256 of its model, so a test can tell a stale one.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page, sync_playwright

from diagram.bpmn import Diagram
from diagram.errors import DiagramError

HERE = Path(__file__).parent
VIEWER = HERE / "node_modules" / "bpmn-js" / "dist" / "bpmn-viewer.production.min.js"
LOOK = HERE / "look.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
TIMEOUT_MS = 60_000
MARGIN = 12  # pixels of white around a picture
PAGE = '<meta charset="utf-8"><div id="canvas" style="width:1600px;height:900px"></div>'
OWN_ID = re.compile(r' id="([^"]+)"')
STAMP = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Plane:
    """One drawn plane: the process itself or what is inside a collapsed sub-process."""

    id: str
    svg: str
    clashes: tuple[str, ...]  # "label over edge: A, B"; empty means that nothing disturbs


class Painter:
    """Draws diagrams in one open page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._script = LOOK.read_text(encoding="utf-8")

    def draw(self, xml: str) -> list[Plane]:
        """Return all planes, the process first. Raises DiagramError where bpmn-js cannot read a part."""
        try:
            drawn = self._page.evaluate(self._script, xml)
        except BrowserError as error:
            raise DiagramError(
                f"схема не рисуется: {error.message.splitlines()[0]}", "Сохраните её в Modeler"
            ) from error
        if drawn["warnings"]:
            raise DiagramError(
                f"схема рисуется не вся: {drawn['warnings'][0]}", "Сохраните её заново в Camunda Modeler"
            )
        return [_plane(xml, found) for found in drawn["planes"]]


def _plane(xml: str, found: dict[str, object]) -> Plane:
    raw = found["clashes"]
    clashes = tuple(f"{what}: {', '.join(ids)}" for what, *ids in raw) if isinstance(raw, list) else ()
    return Plane(str(found["id"]), finished(str(found["svg"]), model_hash(xml)), clashes)


@contextmanager
def painter() -> Iterator[Painter]:
    """Open a browser for drawing and close it again. Raises DiagramError where something is not installed."""
    browser_path = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser_path is None:
        raise DiagramError("нет программы chromium", "Установите пакет chromium")
    if not VIEWER.is_file():
        raise DiagramError("нет bpmn-js", "Выполните: npm ci --prefix diagram")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(QUIET), timeout=TIMEOUT_MS)
        try:
            page = browser.new_page(viewport={"width": 1600, "height": 900})
            page.set_default_timeout(TIMEOUT_MS)
            page.set_content(PAGE)
            page.add_script_tag(path=VIEWER)
            yield Painter(page)
        finally:
            browser.close()


def model_hash(xml: str) -> str:
    """Return the SHA-256 of a model's text, line ends as in the repository."""
    return hashlib.sha256(xml.replace("\r\n", "\n").encode()).hexdigest()


def finished(svg: str, model: str) -> str:
    """Return a drawing as it is kept: no DOCTYPE, stable ids, white ground with a margin, the model's hash."""
    body = svg[svg.index("<svg") :]
    body = _stable_ids(body)
    size = re.search(r'width="([\d.]+)" height="([\d.]+)" viewBox="([-\d.]+) ([-\d.]+) [-\d.]+ [-\d.]+"', body)
    if size is None:
        raise DiagramError("рисунок без размеров", "Проверьте версию bpmn-js")
    width, height, left, top = (float(number) for number in size.groups())
    box = [left - MARGIN, top - MARGIN, width + 2 * MARGIN, height + 2 * MARGIN]
    x, y, w, h = (f"{number:g}" for number in box)
    head_end = body.index(">", size.end()) + 1
    head = body[: size.start()] + f'width="{w}" height="{h}" viewBox="{x} {y} {w} {h}"' + body[size.end() : head_end]
    ground = f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="white"/>'
    return f'<?xml version="1.0" encoding="utf-8"?>\n<!-- model sha256:{model} -->\n{head}{ground}{body[head_end:]}\n'


def _stable_ids(svg: str) -> str:
    """Number the ids that bpmn-js draws at random, so that the same model gives the same picture."""
    for number, old in enumerate(dict.fromkeys(OWN_ID.findall(svg))):
        svg = svg.replace(f' id="{old}"', f' id="m{number}"').replace(f"#{old}", f"#m{number}")
    return svg


def stamp(svg: str) -> str | None:
    """Return the hash of the model that a picture was made from."""
    found = STAMP.search(svg[:300])
    return found.group(1) if found else None


def picture_paths(model: Path) -> dict[str, Path]:
    """Return plane id -> where its picture stands: the process beside the model, the rest in `pictures/`."""
    diagram = Diagram(model.read_bytes())
    planes = [
        e.get("bpmnElement", "") for e in diagram.root.iter("{http://www.omg.org/spec/BPMN/20100524/DI}BPMNPlane")
    ]
    inner = {id_: model.parent / "pictures" / f"{model.stem}.{id_}.svg" for id_ in planes}
    return inner | {diagram.process_id: model.with_suffix(".svg")}


def write_pictures(model: Path, artist: Painter) -> list[str]:
    """Draw one model and write its pictures; return what disturbs in them."""
    paths = picture_paths(model)
    clashes = []
    for plane in artist.draw(model.read_text(encoding="utf-8")):
        path = paths[plane.id]
        path.parent.mkdir(exist_ok=True)
        path.write_text(plane.svg, encoding="utf-8")
        clashes += [f"{path.name}: {clash}" for clash in plane.clashes]
    return clashes


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the models named, or all in `bpmn/`. Returns 1 where something overlaps, 2 where nothing can be drawn."""
    parser = argparse.ArgumentParser(
        prog="python -m diagram.render", description="Draw diagrams as SVG beside the models."
    )
    parser.add_argument("files", nargs="*", type=Path, help="models; without any: bpmn/*.bpmn")
    files = parser.parse_args(arguments).files or sorted(HERE.parent.glob("bpmn/*.bpmn"))
    try:
        with painter() as artist:
            clashes = [clash for model in files for clash in write_pictures(model, artist)]
    except (DiagramError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for clash in clashes:
        sys.stdout.write(f"{clash}\n")
    return 1 if clashes else 0


if __name__ == "__main__":
    sys.exit(main())
