"""What every measured client shares: the job from the environment, and one line of JSON when the last task is done."""

import base64
import json
import os
import resource
import threading
import time
from pathlib import Path

URL, TOPIC = os.environ["ENGINE_URL"], os.environ["TOPIC"]
EXPECT, HANDLER = int(os.environ["EXPECT_N"]), int(os.environ["HANDLER_MS"]) / 1000
USER, PASSWORD = os.environ["ENGINE_USER"], os.environ["ENGINE_PASSWORD"]
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

_mutex = threading.Lock()
_count = 0
_begun: float | None = None


def cpu() -> float:
    """Return the CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rss_kib() -> int:
    """Return this program's own top; `ru_maxrss` keeps that of whoever started it."""
    with Path("/proc/self/status").open(encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


_cpu = 0.0


def begin() -> None:
    """Note the first fetched task."""
    global _begun, _cpu
    if _begun is None:
        _begun, _cpu = time.monotonic(), cpu()


def done() -> None:
    """Count an answer; after the last one print the figures and end the process."""
    global _count
    with _mutex:
        _count += 1
        if _count < EXPECT:
            return
    seconds = time.monotonic() - (_begun or 0.0)
    figures = {
        "completed": _count,
        "seconds": round(seconds, 3),
        "tasks_per_second": round(_count / seconds, 1),
        "cpu_seconds_per_1000": round((cpu() - _cpu) * 1000 / _count, 3),
        "rss_mb": round(rss_kib() / 1024, 1),
    }
    print(json.dumps(figures), flush=True)  # noqa: T201 - a command's answer
    os._exit(0)


def work() -> None:
    """Stand for a handler."""
    if HANDLER:
        time.sleep(HANDLER)
