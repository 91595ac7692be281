"""Rule: `up` works on with the deployed diagrams where the files demand less; `setup` ends with a refusal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from app import programs
from app.errors import CommandError

LEFT = "Диаграммы не опубликованы, действуют прежние"


class Worker:
    """A worker that does nothing."""

    def start(self) -> None:
        """Start."""

    def stop(self) -> None:
        """Stop."""

    def healthy(self) -> bool:
        """Be well."""
        return True


class Parts:
    """As much of the composition root as `up` asks for, on a foreign engine."""

    engine_url = "http://engine/engine-rest"

    class settings:  # stands for the attribute
        """Only what is read."""

        engine_url = "http://engine/engine-rest"
        board_listen = "127.0.0.1:1"

    def worker(self) -> Worker:
        """Return the worker."""
        return Worker()

    def watch(self) -> None:
        """Return that no portal is set."""


def nothing(*_: Any, **__: Any) -> None:
    """Do nothing."""


@pytest.fixture
def held_back(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    served: list[str] = []
    monkeypatch.setattr(programs, "furnish", lambda *_: LEFT)
    monkeypatch.setattr(programs, "wait_for_rest", nothing)
    monkeypatch.setattr(programs, "run_web", lambda *_: served.append("web"))
    return served


def test_up_says_so_and_goes_on(held_back: list[str]) -> None:
    said: list[str] = []
    tell: Callable[[str], None] = said.append
    programs.run_up(Parts(), threading.Event(), tell)  # type: ignore[arg-type]  # the part it uses
    assert LEFT in said
    assert held_back == ["web"]


def test_setup_ends_with_it(held_back: list[str]) -> None:
    said: list[str] = []
    with pytest.raises(CommandError, match=LEFT):
        programs.run_setup(Parts(), threading.Event(), said.append, None)  # type: ignore[arg-type]  # likewise
    assert not any("Готово" in line for line in said)
