"""One container engine, one set of images and one town of containers for all tests of this folder."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))  # its rules are tried on PostgreSQL again

from runtime import ROOT, Runtime, open_runtime
from shop import Shop, server_jar
from town import Images, Town, open_town


@pytest.fixture(scope="session")
def runtime() -> Iterator[Runtime]:
    """The machine's container engine."""
    with open_runtime() as opened:
        yield opened


@pytest.fixture(scope="session")
def images(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Images:
    """Our two images and PostgreSQL's, built from the working copy."""
    server = tmp_path_factory.mktemp("server")  # the jar under test may be another than the one in server/target
    shutil.copy(ROOT / "server" / "Dockerfile", server)
    shutil.copy(ROOT / "server" / ".dockerignore", server)
    (server / "target").mkdir()
    shutil.copy(server_jar(), server / "target" / "order-route-server.jar")
    jre = runtime.base("jre", "docker.io/library/eclipse-temurin:17-jre")
    python = runtime.base("python", "docker.io/library/python:3.11-slim")
    return Images(
        jre=jre,
        python=python,
        server=runtime.build("server", server, JRE_IMAGE=jre),
        program=runtime.build("program", ROOT, PYTHON_IMAGE=python),
        postgres=_postgres(runtime),
    )


def _postgres(runtime: Runtime) -> str:
    if not runtime.local_bases:
        return "docker.io/library/postgres:16"
    here = Path(__file__).parent / "postgres"
    return runtime.build("postgres", here, POSTGRES_BASE=runtime.base("postgres", ""))


@pytest.fixture(scope="session")
def town(runtime: Runtime, images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """PostgreSQL, two engine nodes on it, a sandbox portal and whatever workers a test starts."""
    with open_town(runtime, images, tmp_path_factory.mktemp("town")) as opened:
        yield opened


@pytest.fixture(scope="session")
def shop(town: Town) -> Shop:
    """The first node as a shop: what runs against `shop` elsewhere runs here on PostgreSQL, in containers."""
    return town.shop
