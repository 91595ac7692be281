"""Runs inside a worker's container, after a line `PASSWORDS = {…}`: the demo's persons carry a few orders of all kinds.

Ends with exit code 0 only when every order ended as planned and every card equals the engine.
"""

import os
import sys
from types import SimpleNamespace

from app.demo.carry import Carried, Carrier
from app.demo.people import People
from app.demo.plan import make_plan
from app.demo.verdict import verdict
from app.settings import load
from app.wiring import Parts

with Parts(load(os.environ)) as parts:
    people = People(parts.engine_url, parts.staff, PASSWORDS)  # type: ignore[name-defined]  # noqa: F821 - the line before
    carried = [Carried(plan) for plan in make_plan(ORDERS, 1)]  # type: ignore[name-defined]  # noqa: F821
    Carrier(parts.integration, people, parts.newest_route(), parts.settings.zone).carry_all(carried, 4)
    shop = SimpleNamespace(parts=parts, foreign=None, dead=list, log_tail=lambda name: "")
    faults = verdict(shop, carried)  # type: ignore[arg-type]  # the part of a demo's shop that the verdict reads
    people.close()
sys.stdout.write("\n".join(faults) or f"{len(carried)} ok")
sys.exit(1 if faults else 0)
