"""All mutants: first what needs no engine, last what needs another server."""

from __future__ import annotations

from mutants.effects import EFFECTS
from mutants.promises import PROMISES
from mutants.server import SERVER
from mutants.work import WORK

MUTANTS = EFFECTS + WORK + PROMISES + SERVER
