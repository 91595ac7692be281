"""The installed command as a person runs it: a subprocess with an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shop import Shop

ROOT = Path(__file__).resolve().parent.parent
ORDER_ROUTE = Path(sys.executable).parent / "order-route"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Return both streams; a traceback never belongs there."""
        return self.out + self.err


def run(*arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT, seconds: float = 120) -> Said:
    """Run the command to its end; whatever happened, no traceback reached the person."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ORDER_ROUTE_")}
    plain |= {"COLUMNS": "200", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [ORDER_ROUTE, *map(str, arguments)],
        env=plain | dict(env or {}),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=seconds,
        stdin=subprocess.DEVNULL,
    )
    said = Said(done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in said.text, said.text
    return said


def settings_of(shop: Shop, folder: Path) -> dict[str, str]:
    """Return the environment that points the command at a running shop."""
    accounts = {"ENGINE": "worker", "INTEGRATION": "integration", "DEPLOY": "deployer"}
    env = {f"ORDER_ROUTE_{name}_USER": user for name, user in accounts.items()}
    env |= {f"ORDER_ROUTE_{name}_PASSWORD": shop.passwords[u].get_secret_value() for name, u in accounts.items()}
    env |= {
        "ORDER_ROUTE_ADMIN_USER": shop.engine.admin_user,
        "ORDER_ROUTE_ADMIN_PASSWORD": shop.engine.admin_password.get_secret_value(),
        "ORDER_ROUTE_ENGINE_URL": shop.url,
        "ORDER_ROUTE_DATA_DIR": str(folder),
        "ORDER_ROUTE_LOG_FORMAT": "json",
    }
    return env
