"""One portal for all contract tests: the sandbox, or the one that `--portal` names."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from anyportal import Contract, opened
from mirrored import the_staff
from portal import LocalPortal

VARIABLE = "CONTRACT_PORTAL"


@pytest.fixture(scope="session")
def contract(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contract]:
    folder = tmp_path_factory.mktemp("contract")
    url = request.config.getoption("--portal") or os.environ.get(VARIABLE)
    if url:
        yield from opened(str(url), folder, rate=2, burst=40)
        return
    with LocalPortal(folder / "portal") as portal:
        portal.set_users(
            [
                {"id": p.bitrix_id, "name": p.name, "lastName": ""}
                for p in the_staff().persons
                if p.bitrix_id is not None
            ]
        )
        yield from opened(portal.webhook_url, folder, rate=1000, burst=1000)
