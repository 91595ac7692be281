"""Rule: `bitrix reconcile` lists every difference whatever stops the repair, and says what it left alone and what next.

Mirror and portal are real, the orders are told. Lost cards are an operator's choice: none is made anew by itself, and
all others are repaired meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog
from mirrored import ZONE, MirroredPortal, Story
from typer.testing import CliRunner

from app.cli import cli
from app.commands.common import console
from app.logs import configure


@pytest.fixture
def mirrored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MirroredPortal]:
    """A portal with the cards of seven orders; each command works with a mirror of its own, as a new process does."""
    opened = MirroredPortal(tmp_path)
    for number in range(7):
        story = Story(opened.source, key(number))
        story.change(files=())
        story.open("manufacture")
        opened.mirror.reconcile(story.instance)

    @contextmanager
    def parts() -> Iterator[SimpleNamespace]:
        mirror = opened.new_mirror()
        yield SimpleNamespace(
            cards=lambda: mirror,
            orders=opened.source,
            recent_orders=lambda: list(opened.source.orders),
            orphans=list,
            integration=SimpleNamespace(processes=SimpleNamespace(incidents=list)),
            settings=SimpleNamespace(zone=ZONE),
        )

    monkeypatch.setattr("app.commands.portal.parts", parts)
    monkeypatch.setattr(console, "width", 200)
    before = structlog.get_config()
    configure("auto", quiet=True)
    yield opened
    structlog.configure(**before)
    opened.close()


def key(number: int) -> str:
    return f"ORD-2026-{number:05}"


def reconcile(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["bitrix", "reconcile", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, " ".join(done.output.split())


@pytest.mark.parametrize("lost", [1, 3, 5, 7])
def test_every_difference_is_listed_and_the_rest_repaired(mirrored: MirroredPortal, lost: int) -> None:
    """Three are enough for the mirror's own guard, five of seven for the one of the whole sweep."""
    gone = [key(number) for number in range(lost)]
    base = {"entityTypeId": mirrored.schema.entity_type_id}
    for each in gone:
        mirrored.portal.call("crm.item.delete", base | {"id": mirrored.card(each)["id"]})
    if lost < 7:
        mirrored.edit({"customerName": "Кто-то другой"}, key=key(6), user=103)
    dry, listed = reconcile("--dry-run")
    mark = mirrored.mark()
    code, said = reconcile()
    assert (dry, code) == (1, 1)
    for each in gone:
        assert f"{each} Карточка есть нет" in listed and f"{each} Карточка есть нет" in said
    assert said.endswith(
        f"Карточки удалены в портале и заново не созданы ({', '.join(gone)}): верните их из корзины и повторите "
        "order-route bitrix reconcile, или создайте каждую: order-route bitrix reconcile --recreate НОМЕР"
    )
    assert "crm.item.add" not in mirrored.writes_since(mark)
    if lost < 7:
        assert key(6) in listed and mirrored.value("customerName", key(6)) == "ООО «Ромашка»"
    for each in gone:
        reconcile("--recreate", each, "--dry-run")
    assert reconcile() == (0, "Сверено заказов: 7 Расхождений нет: карточки равны движку")
