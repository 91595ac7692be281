"""Rule: each mechanism that protects an order is guarded by a test which fails without it (the quick part of the list).

`make mutants` removes the rest one by one too, those that need an engine or another server included.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from mutants.copy import Copy, source_root
from mutants.guard import judge, run_all, run_mutant, run_whole
from mutants.mutant import GuardError, Mutant, check
from mutants.whole import MUTANTS

QUICK = [mutant for mutant in MUTANTS if mutant.quick]
PASSED, FAILED = "2 passed in 1.00s", "FAILED tests/unit/test_x.py::test_y[a b] - assert 1 == 2\n1 failed in 1.00s"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the sources in which the tests pass while nothing is removed."""
    made = Copy(source_root(), tmp_path_factory.mktemp("mutants") / "copy")
    run_whole(made, QUICK)
    return made


def test_the_list_fits_the_sources() -> None:
    check(MUTANTS, source_root())


def test_each_of_the_five_is_in_the_quick_part() -> None:
    assert {mutant.mechanism[0] for mutant in QUICK} >= set("KLVFU")


@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_removed_mechanism_is_noticed(copy: Copy, mutant: Mutant) -> None:
    assert run_mutant(copy, mutant).killer


def test_what_nobody_notices_survives_and_the_copy_is_whole_again(copy: Copy) -> None:
    (claim,) = [mutant for mutant in QUICK if mutant.name == "claim"]
    before = (copy.root / claim.file).read_text(encoding="utf-8")
    harmless = replace(claim, old='"""Begin an order:', new='"""Open an order:')
    assert run_mutant(copy, harmless).killer is None
    assert (copy.root / claim.file).read_text(encoding="utf-8") == before
    (nowhere,) = run_all(copy, [replace(claim, tests=(f"{claim.tests[0]}_else",))], lambda result: None)
    assert nowhere.killer is None and "was called wrongly" in str(nowhere.trouble)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"old": "no such text"}, "stands 0 times"),
        ({"old": "task"}, "times"),
        ({"new": "if claims.claim("}, "no Python"),
        ({"file": "workers/none.py"}, "none.py"),
        ({"tests": ("tests/unit/test_none.py::test_x",)}, "no test file"),
    ],
)
def test_a_mutant_that_does_not_fit_is_named(changes: dict[str, object], says: str) -> None:
    (claim,) = [mutant for mutant in QUICK if mutant.name == "claim"]
    with pytest.raises(GuardError, match=says) as told:
        check((replace(claim, **changes),), source_root())  # type: ignore[arg-type]  # names and values stand together
    assert "claim" in str(told.value) or "none.py" in str(told.value)


def test_only_a_failed_test_is_a_verdict() -> None:
    assert judge(0, PASSED, 1.0, "m").killer is None
    assert judge(1, FAILED, 1.0, "m").killer == "tests/unit/test_x.py::test_y[a b]"
    for code, output in ((1, "ERROR tests/unit/test_x.py"), (2, FAILED), (3, FAILED), (4, ""), (5, "no tests ran")):
        with pytest.raises(GuardError, match="m: the run"):
            judge(code, output, 1.0, "m")
    with pytest.raises(GuardError, match="not its mechanism"):
        judge(1, f"E       NameError: name 'x' is not defined\n{FAILED}", 1.0, "m")
