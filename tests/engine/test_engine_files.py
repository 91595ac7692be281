"""Deployment on the real engine: repeatable, refused readably, and history is kept as long as it is set."""

from __future__ import annotations

from pathlib import Path

import pytest
from shop import ROOT, Shop

from engine.client import EngineClient
from engine.deploy import deploy, folder_files
from engine.errors import ModelRefused
from engine.rights import ROUTE

pytestmark = pytest.mark.engine


def test_the_same_files_again_deploy_nothing(shop: Shop) -> None:
    once = deploy(shop.admin, folder_files(ROOT / "bpmn"), name="order-route", ttl_days=1095)
    again = deploy(shop.admin, folder_files(ROOT / "bpmn"), name="order-route", ttl_days=1095)
    assert not again.new
    assert again.definitions == once.definitions and len(once.definitions) == len(shop.deployed.definitions)


def test_the_deploy_account_is_enough(shop: Shop) -> None:
    deployer: EngineClient = shop.signed_in("deployer")
    again = deploy(deployer, folder_files(ROOT / "bpmn"), name="order-route", ttl_days=1095)
    assert not again.new and {d.key for d in again.definitions} >= {ROUTE, "cancel-order", "reconcile-portal"}


def test_history_is_kept_as_long_as_it_is_set(shop: Shop) -> None:
    rows = shop.admin.caller.rest("GET", "/process-definition", params={"latestVersion": True, "maxResults": 50})
    days = {row["key"]: row["historyTimeToLive"] for row in rows.json()}
    assert days[ROUTE] == 1095 and days["reconcile-portal"] == 1


@pytest.mark.parametrize(
    ("old", "new", "element"),
    [
        ('camunda:topic="register-order"', "", "ServiceTask_RegisterOrder"),
        (' camunda:historyTimeToLive="P1095D"', "", None),
    ],
)
def test_a_model_that_the_engine_refuses_is_explained(
    old: str, new: str, element: str | None, shop: Shop, tmp_path: Path
) -> None:
    text = (ROOT / "bpmn" / f"{ROUTE}.bpmn").read_text(encoding="utf-8")
    broken = tmp_path / "broken.bpmn"
    assert old in text
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    before = shop.admin.processes.newest(ROUTE)
    with pytest.raises(ModelRefused) as caught:
        deploy(shop.admin, [broken], name="broken", ttl_days=1)
    assert str(caught.value).startswith("broken.bpmn: ")
    assert element is None or element in str(caught.value)
    assert shop.admin.processes.newest(ROUTE) == before
