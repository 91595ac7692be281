"""A parser that dies, hangs or eats memory takes nobody along: the file is refused, the next one is judged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psutil
import pytest
import samples

from attachments import child, kinds
from attachments.judge import Judge
from attachments.pool import CheckFailed, Pool

HANG = (sys.executable, "-c", "import time; time.sleep(600)")
SPIN = (sys.executable, "-c", "while True: pass")
DIE = (sys.executable, "-c", "import os; os._exit(3)")
GREEDY = (
    sys.executable,
    "-P",
    "-c",
    "from attachments import child, content\ncontent.examine = lambda *rest: bytearray(1 << 30)\nchild.main()",
)
RAISING = (
    sys.executable,
    "-P",
    "-c",
    "from attachments import child, content\n"
    "def examine(*rest): raise KeyError('surprise')\n"
    "content.examine = examine\n"
    "child.main()",
)


@pytest.fixture
def pool() -> Iterator[Pool]:
    opened = Pool(size=1)
    yield opened
    opened.close()


@pytest.mark.parametrize("command", [HANG, SPIN])
def test_hanging_parser_is_ended_and_named(command: tuple[str, ...]) -> None:
    pool = Pool(seconds=0.3, command=command)
    judge = Judge(pool=pool)
    start = time.monotonic()
    accepted, sentence = judge.judge("a.pdf", samples.make_pdf())
    assert time.monotonic() - start < 5
    assert not accepted
    assert sentence.startswith("Проверить файл не удалось (проверка не уложилась")
    assert pool.pids() == []


def test_dying_parser_is_named() -> None:
    accepted, sentence = Judge(pool=Pool(command=DIE)).judge("a.pdf", samples.make_pdf())
    assert not accepted
    assert sentence.startswith("Проверить файл не удалось (программа проверки упала")


@pytest.mark.parametrize(("command", "why"), [(GREEDY, "не хватило памяти"), (RAISING, "разбор прерван")])
def test_failing_parser_is_named_and_its_process_lives_on(command: tuple[str, ...], why: str) -> None:
    pool = Pool(command=command)
    try:
        with pytest.raises(CheckFailed, match=why):
            pool.ask("pdf", kinds.DEFAULT, b"%PDF")
        assert len(pool.pids()) == 1
    finally:
        pool.close()


def test_killed_child_is_replaced(pool: Pool) -> None:
    judge = Judge(pool=pool)
    assert judge.judge("a.pdf", samples.make_pdf())[0]
    (first,) = pool.pids()
    os.kill(first, signal.SIGKILL)
    assert judge.judge("a.pdf", samples.make_pdf())[0]
    assert pool.pids() != [first]


def test_warm_child_is_kept(pool: Pool) -> None:
    judge = Judge(pool=pool)
    judge.judge("a.pdf", samples.make_pdf())
    before = pool.pids()
    judge.judge("a.dxf", samples.make_dxf())
    assert pool.pids() == before


def test_child_sees_neither_settings_nor_secrets(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDER_ROUTE_ADMIN_PASSWORD", "canary")
    Judge(pool=pool).judge("a.pdf", samples.make_pdf())
    (pid,) = pool.pids()
    assert "ORDER_ROUTE_ADMIN_PASSWORD" not in psutil.Process(pid).environ()


def test_child_is_bounded(pool: Pool) -> None:
    Judge(pool=pool).judge("a.pdf", samples.make_pdf())
    process = psutil.Process(pool.pids()[0])
    assert process.rlimit(psutil.RLIMIT_AS) == (child.MEMORY_BYTES, child.MEMORY_BYTES)
    assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)


def test_child_ends_with_its_parent() -> None:
    script = (
        "from attachments.judge import Judge\n"
        "from attachments.pool import Pool\n"
        "pool = Pool()\n"
        "Judge(pool=pool).judge('a.pdf', b'%PDF-')\n"
        "print(pool.pids()[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.02)


def test_threads_share_the_children() -> None:
    pool = Pool(size=2)
    judge = Judge(pool=pool)
    answers: list[bool] = []
    threads = [
        threading.Thread(target=lambda: answers.append(judge.judge("a.pdf", samples.make_pdf())[0])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [True] * 8
    assert len(pool.pids()) <= 2
    pool.close()


def test_pdf_of_5000_nested_arrays_is_decided_quickly(pool: Pool) -> None:
    start = time.monotonic()
    verdict = Judge(pool=pool).verdict("a.pdf", samples.nested_arrays_pdf(5000))
    assert time.monotonic() - start < 5
    assert "не удалось" not in verdict.reason
