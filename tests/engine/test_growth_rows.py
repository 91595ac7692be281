"""The generator of `make growth` makes orders like real ones: column by column, for the reader, and for the engine.

Only so do its tens of thousands of orders say anything about a real shop of that size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from growth.proof import differences
from growth.rows import DATABASE, Copy, insert, orphans, plan, run, stage
from growth.rows import other as copied
from growth.templates import Template
from postgres import Postgres, engine_on
from shop import Shop, open_shop

from engine.processes import Instance
from orders.snapshot import OrderSnapshot

pytestmark = [pytest.mark.engine, pytest.mark.containers]  # PostgreSQL comes with what containers need
SEED, COPIES = 1, 6


@pytest.fixture(scope="module")
def own(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    postgres.make(DATABASE)
    with open_shop(tmp_path_factory.mktemp("growth"), engine_type=engine_on(postgres, DATABASE)) as opened:
        yield opened


@pytest.fixture(scope="module")
def real(own: Shop, postgres: Postgres) -> list[Template]:
    """An order in the middle and one at its end."""
    running, ended = (own.start_order(key=key) for key in ("TPL-00000", "TPL-00001"))
    own.carry_to(running, "UserTask_PrepareEstimate")
    own.carry_home(ended)
    found = [Template("running", "UserTask_PrepareEstimate", instance=running), Template("ended", None, instance=ended)]
    stage(postgres, [(each.id, each.key) for each in found])
    return found


@pytest.fixture(scope="module")
def copies(real: list[Template], postgres: Postgres) -> list[Copy]:
    made = plan(SEED, 1, range(len(real)), COPIES, 60)
    insert(postgres, made)
    return made


def test_copies_are_like_real_orders_column_by_column(
    real: list[Template], copies: list[Copy], postgres: Postgres
) -> None:
    assert differences(postgres, real, copies) == []
    assert orphans(postgres) == []


def test_a_copy_that_points_to_the_real_order_is_found(
    real: list[Template], copies: list[Copy], postgres: Postgres
) -> None:
    spoilt = copied(real[0].id, copies[0].n)
    for value, wrong in ((real[0].id, ["act_hi_taskinst.root_proc_inst_id_"]), (spoilt, [])):
        run(postgres, f"UPDATE act_hi_taskinst SET root_proc_inst_id_ = '{value}' WHERE proc_inst_id_ = '{spoilt}'")
        assert differences(postgres, real, copies) == wrong


def test_the_reader_sees_what_it_sees_of_a_real_order(own: Shop, real: list[Template], copies: list[Copy]) -> None:
    originals = [own.reader.snapshot(each.id) for each in real]
    seen = own.reader.snapshots([copied(real[c.template].id, c.n) for c in copies])
    for copy, snapshot in zip(copies, seen, strict=True):
        original = originals[copy.template]
        assert snapshot.key == copy.key
        assert original.started - copy.back - snapshot.started < copies[0].back.resolution * 1_000_000
        assert _steps(snapshot) == _steps(original)
        assert replace(snapshot, **_OWN) == replace(original, **_OWN)


_OWN: dict[str, object] = dict.fromkeys(
    ("key", "instance_id", "started", "ended", "variables", "files", "done", "open")
)


def _steps(order: OrderSnapshot) -> list[object]:
    """Return what was answered, by whom, what is open before whom, and which files there are."""
    return [
        [(v.task_id, v.person, v.values, v.duration) for v in order.done],
        [(v.task_id, v.groups, v.assignee, v.due) for v in order.open],
        [(f.variable, f.name, f.sha256) for f in order.files],
    ]


def test_the_engine_carries_a_copy_to_its_end(own: Shop, real: list[Template], copies: list[Copy]) -> None:
    chosen = next(c for c in copies if real[c.template].stop)
    original = real[chosen.template].instance
    assert original is not None
    order = Instance(copied(original.id, chosen.n), original.definition_id, chosen.key)
    own.carry_home(order)
    assert own.reader.snapshot(order.id).end_id == "End_Delivered"
