"""Work begins only with the right partners: an engine of a known kind, a ledger of this engine and of this shape.

Anything else is one sentence, and nothing is changed.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.errors import sentence_of
from app.settings import Settings, load
from app.wiring import Parts
from engine.about import WrongEngine
from ledger import ForeignLedger, Ledger, LedgerError
from ledger.copy import dump
from ledger.copy import load as put
from workers.runtime import worker_id

IDENTITY = {"id": "engine-b", "now": "2026-03-01T00:00:00.123456789Z", "database": "h2"}


@contextmanager
def answering(pages: dict[str, tuple[int, str, str]]) -> Iterator[str]:
    """Serve fixed answers: what stands at an address when it is not our engine. Path -> status, type, text."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, text = pages.get(self.path, (404, "application/json", "{}"))
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/engine-rest"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def version(text: str) -> tuple[int, str, str]:
    return 200, "application/json", json.dumps({"version": text})


def settings(url: str, folder: Path) -> Settings:
    return load({"ORDER_ROUTE_ENGINE_URL": url, "ORDER_ROUTE_DATA_DIR": str(folder)}, dotenv=None)


def refusal(url: str, folder: Path) -> Exception:
    with Parts(settings(url, folder)) as parts, pytest.raises((WrongEngine, LedgerError)) as refused:
        parts.prove_engine()
    found = sentence_of(refused.value)
    assert found is not None
    assert "\n" not in found[1]
    return refused.value


@pytest.mark.parametrize(
    ("pages", "names"),
    [
        ({"/engine-rest/version": version("8.5.0")}, "8.5.0"),
        ({"/engine-rest/version": version("2.1.0")}, "2.1.0"),
        ({"/engine-rest/version": (200, "text/html", "<html>nginx</html>")}, "не движок"),
        ({"/engine-rest/version": (200, "application/json", "{}")}, "не движок"),
        ({}, "не движок"),
    ],
)
def test_an_engine_of_another_kind_or_version_is_named(
    tmp_path: Path, pages: dict[str, tuple[int, str, str]], names: str
) -> None:
    with answering(pages) as url:
        said = str(refusal(url, tmp_path))
    assert names in said
    assert "ORDER_ROUTE_ENGINE_URL" in said
    assert not (tmp_path / "ledger.db").exists(), "nothing was begun"


def test_a_stock_engine_may_be_used_and_has_no_id(tmp_path: Path) -> None:
    with (
        answering({"/engine-rest/version": version("7.24.0")}) as url,
        Parts(settings(url, tmp_path)) as parts,
    ):
        assert parts.prove_engine().id is None


def test_a_ledger_of_another_engine_is_named_and_stays_as_it_is(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/ledger.db"
    with answering(
        {
            "/engine-rest/version": version("1.0.3"),
            "/engine-rest/order/identity": (200, "application/json", json.dumps(IDENTITY)),
        }
    ) as url:
        with Parts(settings(url, tmp_path)) as parts:
            parts.prove_engine()
        assert Ledger(address).belongs_to() == "engine-b"
        with sqlite3.connect(tmp_path / "ledger.db") as file:
            file.execute("UPDATE meta SET value = 'engine-a' WHERE name = 'belongs_to'")
        file.close()
        before = list(dump(address))
        refused = refusal(url, tmp_path)
    assert isinstance(refused, ForeignLedger)
    assert "engine-a" in str(refused)
    assert list(dump(address)) == before


SHAPES = {
    "an older one that counted": ("UPDATE meta SET value = '0' WHERE name = 'schema'", "старой"),
    "an older one that lacks a column": ("ALTER TABLE effect DROP COLUMN request_hash", "старой"),
    "a newer one": ("UPDATE meta SET value = '99' WHERE name = 'schema'", "новой"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_ledger_of_another_shape_is_named_and_stays_as_it_is(tmp_path: Path, shape: str) -> None:
    change, word = SHAPES[shape]
    file = tmp_path / "ledger.db"
    Ledger(f"sqlite:///{file}").close()
    with sqlite3.connect(file) as database:
        database.execute(change)
        before = list(database.iterdump())
    database.close()
    with pytest.raises(LedgerError, match=word) as refused:
        Ledger(f"sqlite:///{file}")
    assert "\n" not in str(refused.value)
    with sqlite3.connect(file) as database:
        assert list(database.iterdump()) == before
    database.close()


def test_a_ledger_from_before_shapes_were_counted_is_taken_over(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/ledger.db"
    Ledger(address).done("A:card", "29")
    with sqlite3.connect(tmp_path / "ledger.db") as database:
        database.execute("DELETE FROM meta")
    database.close()
    book = Ledger(address)
    assert book.effect("A:card").remote_id == "29"
    book.bind("engine-a")
    assert book.belongs_to() == "engine-a"


def test_a_copied_ledger_is_the_same_ledger(tmp_path: Path) -> None:
    one, other = (f"sqlite:///{tmp_path}/{name}.db" for name in "ab")
    book = Ledger(one)
    book.bind("engine-a")
    for number in range(1200):
        book.done(f"A:{number}", str(number))
    Ledger(other).done("stranger", "1")
    lines = list(dump(one))
    assert put(other, lines) == 1201 + 1, "the effects, whose it is, and its shape"
    assert list(dump(other)) == lines


def test_an_erased_order_is_forgotten_and_its_neighbours_are_not(tmp_path: Path) -> None:
    book = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    for key in ("A-1:card", "A-1/c1", "tell:A-1:late:ivanov", "A-12:card", "A%1:card", "tell:A-12:x"):
        book.done(key, "1")
    book.claim("A-1", "i-1")
    assert book.forget_order("A-1") == 3
    assert set(book.effects(["A-1:card", "A-12:card", "A%1:card", "tell:A-12:x"])) == {
        *("A-12:card", "A%1:card", "tell:A-12:x")
    }
    assert book.claim("A-1", "i-2") == "i-1", "the number is not free again"


def test_two_workers_never_have_one_id() -> None:
    assert len({worker_id() for _ in range(1000)}) == 1000
    assert [name for name in Settings.model_fields if "worker_id" in name] == [], "nobody can set it"
