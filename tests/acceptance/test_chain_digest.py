"""Rule: on a working morning the engine's timer makes the worker tell each person of the shop once, in the portal."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from chain import KINDS, Chain, open_chain
from shop import Shop

from orders.worktime import WorkingCalendar

pytestmark = [pytest.mark.engine, pytest.mark.acceptance]


def notices(chain: Chain) -> dict[str, str]:
    """Return the digests that the portal was asked to show, by key; none of them twice."""
    sent = [line["params"] for line in chain.portal.log(KINDS["notice"], applied=True)]
    ours = [(p["TAG"], p["MESSAGE"]) for p in sent if p["TAG"].startswith("digest:")]
    assert Counter(tag for tag, _ in ours).most_common(1)[0][1] == 1 if ours else True
    return dict(ours)


def test_every_person_is_told_once(shop: Shop, tmp_path: Path) -> None:
    today = WorkingCalendar().today(datetime.now(UTC))
    calendar = tmp_path / "calendar.toml"
    calendar.write_text(f'[year.{today.year}]\nworking_days = ["{today:%d.%m.%Y}"]\n', encoding="utf-8")
    with open_chain(shop, tmp_path / "chain", calendar_file=calendar) as chain:
        chain.work()
        chain.wait(chain.healthy, "the worker up")
        order = chain.shop.start_order()
        chain.step(order, "UserTask_ApproveOrder")
        here = {p.id for p in shop.staff.persons if p.bitrix_id and p.present(today)}
        for _ in range(2):  # the engine may fire twice: after a restart, or two nodes
            started = shop.admin.processes.start("send-digest", {})
            chain.wait(lambda s=started: shop.integration.history.instance(s.id).ended, "the digest sent")
        told = notices(chain)
        kept = json.loads(chain.parts.ledger.cursor("alerts") or "{}")
        assert kept["day"] == today.isoformat()
        assert set(told) == {f"digest:{today.isoformat()}:{person}" for person in here}
        assert order.business_key in told[f"digest:{today.isoformat()}:orlov"]
        assert "\n" not in told[f"digest:{today.isoformat()}:egorov"], "nothing new is one line"


def test_the_timer_stands_at_half_past_eight(shop: Shop) -> None:
    definition = shop.admin.processes.newest("send-digest")
    (job,) = shop.admin.processes.jobs(processDefinitionId=definition.id)
    assert job.due is not None
    assert f"{job.due.astimezone(WorkingCalendar().zone):%H:%M}" == "08:30"
