"""The ledger keeps its word between threads, processes and kills: one owner, one effect, one count, nothing lost.

The same rules hold in SQLite and, where the system has its programs, in PostgreSQL.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import Postgres, binaries
from sqlalchemy import update

from ledger import EffectState, ForeignLedger, Ledger, LedgerError
from ledger.tables import lease as lease_table


@pytest.fixture(params=["sqlite", "postgresql"] if binaries() else ["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    server.make("ledger")
    return server.url("ledger")


@pytest.fixture(autouse=True)
def _close_what_was_opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test opens ledgers as programs do; the connections of all of them end with it."""
    opened: list[Ledger] = []
    make = Ledger.__init__

    def remember(book: Ledger, *args: str, **more: str) -> None:
        make(book, *args, **more)
        opened.append(book)

    monkeypatch.setattr(Ledger, "__init__", remember)
    yield
    for book in opened:
        book.close()


def run(code: str, url: str, *more: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a process of its own with an opened ledger named `book`."""
    head = "import sys\nfrom ledger import Ledger\nbook = Ledger(sys.argv[1])\n"
    command = [sys.executable, "-c", head + code, url, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | (env or {}))


def outputs(processes: list[subprocess.Popen[str]]) -> list[str]:
    return [process.communicate(timeout=60)[0].strip() for process in processes]


def test_an_effect_goes_from_new_over_intent_to_done_and_stays_done(url: str) -> None:
    book = Ledger(url)
    assert book.intend("k", "h1").state is EffectState.NEW
    again = book.intend("k", "h2")
    assert (again.state, again.attempts, again.request_hash) == (EffectState.INTENT, 1, "h1")
    assert again.open
    book.done("k", "17")
    done = book.intend("k", "h3")
    assert (done.state, done.remote_id, done.attempts) == (EffectState.DONE, "17", 2)
    assert Ledger(url).effect("k").state is EffectState.DONE
    assert not done.open


def test_unknown_is_kept_with_its_time_and_undo_forgets(url: str) -> None:
    book = Ledger(url)
    book.intend("k")
    book.unknown("k")
    effect = book.effect("k")
    assert effect.state is EffectState.UNKNOWN
    assert effect.last is not None and abs(effect.last - book.now()) < 30
    book.undo("k")
    assert book.effect("k").state is EffectState.NEW


def test_an_effect_that_was_found_outside_can_be_noted_without_an_intent(url: str) -> None:
    book = Ledger(url)
    book.done("found", "5")
    assert book.effects(["found", "other"]).keys() == {"found"}
    assert book.effect("found").remote_id == "5"


def test_the_first_instance_owns_a_key_also_between_processes(url: str) -> None:
    Ledger(url).close()
    code = "print(book.claim('ORD-1', sys.argv[2]))"
    owners = set(outputs([run(code, url, name) for name in ("a", "b", "c")]))
    assert len(owners) == 1
    assert Ledger(url).claim("ORD-1", "late") in {"a", "b", "c"}


def test_attempts_are_counted_exactly_by_processes_at_once(url: str) -> None:
    code = "for _ in range(50): book.attempt('t')"
    outputs([run(code, url) for _ in range(3)])
    book = Ledger(url)
    assert book.attempt("t") == 151
    book.forget("t")
    assert book.attempt("t") == 1


def test_many_attempts_are_counted_in_one_write_also_by_processes_at_once(url: str) -> None:
    book = Ledger(url)
    names = [f"t{n}" for n in range(20)]
    code = "for _ in range(10): book.attempts([f't{n}' for n in range(20)][::int(sys.argv[2])])"
    outputs([run(code, url, step) for step in ("1", "-1")])  # in either order: writers must not wait for each other
    assert book.attempts(names) == dict.fromkeys(names, 21)
    assert book.attempts(["t0", "new"], over=["t0", "t1"]) == {"t0": 1, "new": 1}
    assert book.attempts(["t1", "t2"]) == {"t1": 1, "t2": 22}


def test_a_count_outlives_the_death_of_the_process_that_made_it(url: str) -> None:
    book = Ledger(url)
    outputs([run("import os, signal\nbook.attempts(['t', 'u'])\nos.kill(os.getpid(), signal.SIGKILL)", url)])
    assert book.attempts(["t", "u"]) == {"t": 2, "u": 2}


def test_only_counts_may_spare_the_disk(tmp_path: Path) -> None:
    book = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    for _ in range(2):  # each goes over connections of its own
        with book._light_transaction() as connection:
            assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
        with book._transaction() as conn:
            assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_what_was_acknowledged_survives_a_kill(url: str) -> None:
    code = "n = 0\nwhile True:\n    book.done(f'k{n}', str(n)); print(n, flush=True); n += 1"
    process = run(code, url)
    assert process.stdout is not None
    last = [int(process.stdout.readline()) for _ in range(40)][-1]
    process.send_signal(signal.SIGKILL)
    rest = process.communicate(timeout=30)[0].split()
    known = max([last, *map(int, rest)])
    assert len(Ledger(url).effects(f"k{n}" for n in range(known + 1))) == known + 1


def test_sqlite_is_in_wal_with_full_synchronisation(tmp_path: Path) -> None:
    book = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    with book._engine.connect() as conn:
        assert conn.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_one_lease_at_a_time_and_it_can_be_given_back(url: str) -> None:
    book, other = Ledger(url), Ledger(url)
    with book.lease("order:1", 30) as lease:  # type: ignore[union-attr]  # None would fail the test here
        assert other.lease("order:1", 30) is None
        assert other.lease("order:2", 30) is not None
        assert lease.renew()
        assert 29 < lease.left() <= 30
    assert other.lease("order:1", 30) is not None


def test_a_lease_of_a_dead_holder_ends_and_cannot_be_renewed_afterwards(url: str) -> None:
    book = Ledger(url)
    dead = book.lease("order:1", 0.0)
    assert dead is not None
    heir = book.lease("order:1", 30)
    assert heir is not None
    assert not dead.renew()
    dead.release()
    assert book.lease("order:1", 30) is None, "a late release must not end the heir's lease"
    assert heir.keep()


def test_a_lease_from_a_clock_that_was_ahead_blocks_nobody(url: str) -> None:
    """A dead holder wrote its end with a clock an hour ahead; since then the clock was put right."""
    book = Ledger(url)
    assert book.lease("order:1", 30) is not None
    with book._engine.begin() as conn:
        conn.execute(update(lease_table).values(expires=lease_table.c.expires + 3600))
    heir = book.lease("order:1", 30)
    assert heir is not None and heir.left() <= 30
    assert book.lease("order:1", 30) is None


def test_only_one_of_many_processes_gets_the_lease(url: str) -> None:
    Ledger(url).close()
    code = "print(book.lease('order:1', 60) is not None)"
    assert sorted(outputs([run(code, url) for _ in range(4)])) == ["False", "False", "False", "True"]


def test_cursors_are_replaced(url: str) -> None:
    book = Ledger(url)
    assert book.cursor("poll") is None
    book.set_cursor("poll", "1")
    book.set_cursor("poll", "2")
    assert Ledger(url).cursor("poll") == "2"


def test_a_ledger_of_another_engine_or_portal_is_refused_by_name(url: str) -> None:
    Ledger(url, belongs_to="engine-a portal-a").close()
    Ledger(url, belongs_to="engine-a portal-a").close()
    with pytest.raises(ForeignLedger, match="portal-b"):
        Ledger(url, belongs_to="engine-a portal-b")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("sqlite:////nowhere/at/all/ledger.db", "unable to open"),
        ("mysql://u:secret@h/x", "не поддерживается|драйвер"),
        ("postgresql://u:secret@127.0.0.1:1/x", "create a connection"),
        ("postgresql://u:secret@127.0.0.1/x?sslmode=require", "параметры"),
        ("postgresql+psycopg://u:secret@127.0.0.1/x", "не установлен драйвер"),
        ("nonsense", "ORDER_ROUTE_LEDGER_URL"),
    ],
)
def test_a_ledger_that_cannot_be_opened_says_why_and_shows_no_password(address: str, says: str) -> None:
    with pytest.raises(LedgerError, match=says) as error:
        Ledger(address)
    assert "secret" not in str(error.value)


def test_a_failpoint_kills_only_in_a_test_build(url: str) -> None:
    code = "from ledger.failpoints import failpoint\nfailpoint('after_call', 'crm.item.add'); print('alive')"
    point = {"FAILPOINT": "after_call/crm.item.add:kill"}
    normal, armed = run(code, url, env=point), run(code, url, env=point | {"ORDER_ROUTE_TEST_BUILD": "1"})
    assert outputs([normal, armed]) == ["alive", ""]
    assert (normal.returncode, armed.returncode) == (0, -signal.SIGKILL)


@pytest.mark.skipif(not binaries(), reason="the container tests try it too")
def test_in_postgresql_the_ledger_keeps_to_a_schema_of_its_own(postgres: Postgres) -> None:
    postgres.make("ledger")
    Ledger(postgres.url("ledger")).intend("k")
    where = (
        "SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name IN ('effect', 'lease', 'meta')"
    )
    assert postgres.run(where, database="ledger") == [("order_route_ledger",)]


@pytest.mark.skipif(not binaries(), reason="the container tests try it too")
@pytest.mark.filterwarnings("ignore:.*unclosed <socket:pytest.PytestUnraisableExceptionWarning")  # pg8000, broken line
def test_a_ledger_whose_connection_broke_connects_anew_and_says_what_was_cut(postgres: Postgres) -> None:
    postgres.make("ledger")
    book = Ledger(postgres.url("ledger"))
    book.attempt("t")
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'ledger'"
    assert postgres.run(others) == [(True,)]
    assert book.attempt("t") == 2
    with pytest.raises(LedgerError, match=r"network error|reset|terminat"), book._transaction() as conn:
        postgres.run(others)
        book._now(conn)
    assert book.attempt("t") == 3
    gc.collect()


def test_a_ledger_that_cannot_be_written_says_why_until_it_can_again(tmp_path: Path) -> None:
    book = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    assert book.trouble() is None
    pooled = book._engine.raw_connection()
    same = pooled.driver_connection
    pooled.close()
    assert same is not None
    same.execute("PRAGMA query_only=ON")
    with pytest.raises(LedgerError):
        book.intend("k")
    assert "журнал не пишется" in (book.trouble() or "")
    same.execute("PRAGMA query_only=OFF")
    assert book.trouble() is None


@pytest.mark.skipif(not binaries(), reason="no PostgreSQL here")
def test_a_process_that_sleeps_in_a_write_holds_nobody_for_ever(postgres: Postgres) -> None:
    """A stopped process keeps its connection, and with it its rows, until the server ends that write."""
    postgres.make("ledger")
    book = Ledger(postgres.url("ledger"))
    with book._engine.connect() as conn:
        assert conn.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "20s"


def test_the_inbox_holds_each_thing_once_and_forgets_only_what_was_seen(url: str) -> None:
    book = Ledger(url)
    for kind, number in (("item:1030", "7"), ("task", "7"), ("item:1030", "7")):
        book.hint(kind, number)
    seen = book.hints()
    assert [(each.kind, each.number) for each in seen] == [("task", "7"), ("item:1030", "7")], (
        "named last, looked at last"
    )
    book.hint("task", "7")
    book.drop_hints(seen)
    assert [(each.kind, each.number) for each in book.hints()] == [("task", "7")], "it was named again meanwhile"
    assert [(each.kind, each.number) for each in Ledger(url).hints()] == [("task", "7")], "another process sees it"


def test_what_was_done_lately_is_counted_by_the_beginning_of_its_key(url: str) -> None:
    book = Ledger(url)
    assert book.recent("A/back:", 3600) == (0, 0.0)
    for key in ("A/back:1", "A/back:2", "B/back:1", "tell:A/back:1"):
        book.done(key)
    book.intend("A/back:3")
    count, last = book.recent("A/back:", 3600)
    assert count == 2 and abs(last - book.now()) < 60
    assert book.recent("A/back:", -60) == (0, 0.0)
