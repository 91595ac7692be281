"""Run the portal as a process: `python -m bitrix_sync.sandbox --port 8100 --state portal.db`."""

from __future__ import annotations

import argparse
import errno
import json
import signal
import sqlite3
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bitrix_sync.sandbox.server import serve


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean stop, 2 where it cannot start."""
    options = _parser().parse_args(arguments)
    try:
        users = read_users(options.users) if options.users else []
        box = serve(
            host=options.host,
            port=options.port,
            state=options.state,
            log=options.log,
            rate=options.rate,
            drain=options.drain,
            offset=options.offset,
            token=options.token,
            users=users,
        )
    except (OSError, ValueError, sqlite3.Error) as error:
        sys.stderr.write(_why(error, options) + "\n")
        return 2
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    sys.stdout.write(f"Портал: {box.url}/  вебхук: {box.webhook_url}\n")
    sys.stdout.flush()
    ended.wait()
    box.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bitrix_sync.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--state", type=Path, help="state file; without it the state is lost at the end")
    parser.add_argument("--log", type=Path, help="append-only call log, JSON lines")
    parser.add_argument("--users", type=Path, help="JSON list of {id, name, lastName, email, active, admin}")
    parser.add_argument("--rate", type=float, default=50, help="requests that fit into the bucket (X)")
    parser.add_argument("--drain", type=float, default=2, help="requests that leave the bucket per second (Y)")
    parser.add_argument("--offset", default="+03:00", help="the portal's time offset")
    parser.add_argument("--token", help="secret of the first webhook; a random one is kept in the state otherwise")
    return parser


def read_users(path: Path) -> list[Mapping[str, Any]]:
    """Read the people file; raises OSError or ValueError that says what is wrong."""
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, list) or not all(isinstance(item, dict) and "id" in item for item in value):
        raise ValueError(f'{path}: нужен список людей вида [{{"id": 2, "name": …, "lastName": …}}]')
    return value


def _why(error: Exception, options: argparse.Namespace) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"Порт {options.port} занят. Остановите то, что его держит, или укажите другой: --port."
    if isinstance(error, sqlite3.Error):
        return f"Файл состояния {options.state} не открывается ({error}). Его держит другой портал, или он испорчен."
    return f"Портал не запущен: {error}"


if __name__ == "__main__":
    sys.exit(main())
