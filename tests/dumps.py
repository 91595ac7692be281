"""What a database really holds, as text: the engine's H2 file by its own SCRIPT, SQLite by its own dump."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterable
from pathlib import Path

from shop import Shop

from engine.java import find_java


def engine_script(shop: Shop, folder: Path) -> bytes:
    """Return the whole engine database as SQL; files are in it as hexadecimal digits."""
    made = shop.admin.caller.rest("POST", "/order/backup", body={}, timeout=300).json()["file"]
    copy = shop.engine.data_dir / made
    with zipfile.ZipFile(shop.engine.jar) as jar:
        name = next(n for n in jar.namelist() if re.search(r"/h2-[\d.]+\.jar$", n))
        (folder / "h2.jar").write_bytes(jar.read(name))
    script = folder / "engine.sql"
    argv = [find_java(), "-Xmx256m", "-cp", folder / "h2.jar", "org.h2.tools.Script", "-user", "order_route"]
    argv += ["-url", f"jdbc:h2:file:{str(copy).removesuffix('.mv.db')}", "-script", script]
    subprocess.run(argv, check=True, capture_output=True, timeout=300)
    copy.unlink()
    return script.read_bytes()


def sqlite_script(file: Path) -> bytes:
    """Return a SQLite database as SQL; nobody may hold it exclusively."""
    with sqlite3.connect(file) as database:
        text = "\n".join(database.iterdump())
    database.close()
    return text.encode()


def hits(data: bytes, words: Iterable[str]) -> list[str]:
    """Return which words are in the data: plain, as JSON or H2 write them, or as hexadecimal digits."""
    low = data.lower()
    return [word for word in words if any(form.lower() in low for form in _forms(word))]


def _forms(word: str) -> list[bytes]:
    h2 = "".join(c if c.isascii() else f"\\{ord(c):04x}" for c in word)
    return [word.encode(), json.dumps(word)[1:-1].encode(), h2.encode(), word.encode().hex().encode()]
