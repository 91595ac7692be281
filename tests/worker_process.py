"""A worker as a process of its own, for tests that kill it: `worker_process.py MODE TOPIC MARKS`.

MODE: `note` notes the task's id and completes; `crash` ends the process at once; `hang` works for a minute;
`slow` works for half a second. Each run of a handler adds one word to the file MARKS.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from pydantic import SecretStr

from engine.client import EngineClient
from ledger import Ledger
from orders.stage import Route
from workers.registry import Registry, topic
from workers.runtime import Options, Worker
from workers.task import Task


def main(mode: str, name: str, marks: Path) -> None:
    """Work until SIGTERM."""

    @topic(name)
    def run(task: Task) -> None:
        """Do what the mode says."""
        with marks.open("a", encoding="utf-8") as file:
            file.write(f"{task.id}\n")
        if mode == "crash":
            os._exit(1)
        time.sleep({"hang": 60.0, "slow": 0.5}.get(mode, 0.0))

    gate = os.environ.get("GATE")
    if gate:  # a folder: each process signs in, and all begin when somebody puts the file `open` there
        (Path(gate) / str(os.getpid())).touch()
        while not (Path(gate) / "open").exists():
            time.sleep(0.01)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    password = SecretStr(os.environ["ENGINE_PASSWORD"])
    client = EngineClient(os.environ["ENGINE_URL"], os.environ["ENGINE_USER"], password)
    worker = Worker(
        client.external,
        Registry([run]),
        {},
        attempts=Ledger(os.environ["LEDGER"]),
        routes=lambda _: Route(process_id="", stages=(), start_id=""),
        options=Options(lock=float(os.environ.get("LOCK", "2")), poll=1.0, slots=4),
    )
    worker.run(stop)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
