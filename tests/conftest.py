"""What all tests share: a clean environment, and one real engine a run for those that ask for `shop`."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `from shop import …` in every test folder

from postgres import Postgres, binaries, engine_on, open_postgres
from shop import JAR_VARIABLE, Shop, open_shop

from engine.embedded import EmbeddedEngine

# Engine and ledger write through to the disk at every commit; a kill test needs no more than memory for that (only a
# power cut would), and a shared disk makes a run several times longer.
_MEMORY = Path("/dev/shm")
if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 4 << 30:
    os.environ["TMPDIR"] = str(_MEMORY)
    tempfile.tempdir = None

# A shell's background jobs ignore Ctrl-C, and children inherit that; tests of Ctrl-C need it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A developer's own settings must not reach the tests.
for _name in [name for name in os.environ if name.startswith("ORDER_ROUTE_") and name != JAR_VARIABLE]:
    del os.environ[_name]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the contract tests run against any portal."""
    parser.addoption("--portal", metavar="WEBHOOK", help="https://portal/rest/USER/TOKEN/ for tests/contract")


@pytest.fixture(scope="session")
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The real engine with the analyst's folder deployed and the staff file bootstrapped; one a run.

    With ENGINE_DATABASE=postgresql in the environment the same tests run against an engine on PostgreSQL.
    """
    kind = EmbeddedEngine
    if os.environ.get("ENGINE_DATABASE") == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        server.make("engine")
        kind = engine_on(server, "engine")
    with open_shop(tmp_path_factory.mktemp("shop"), engine_type=kind) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL; a test that asks for it where none is installed fails in one sentence."""
    programs = binaries()
    if programs is None:
        pytest.fail("no PostgreSQL to test against: apt-get install postgresql", pytrace=False)
    with open_postgres(programs) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _leave_no_order(request: pytest.FixtureRequest) -> Iterator[None]:
    """End what a test left running, so that the next one's worker finds only its own work."""
    yield
    if "shop" in request.fixturenames:
        request.getfixturevalue("shop").end_everything()
