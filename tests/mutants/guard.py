"""Run the tests without a mechanism, and judge whether they noticed."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psutil

from mutants.copy import Copy
from mutants.mutant import GuardError, Mutant

SECONDS, WHOLE_SECONDS = 900.0, 3600.0  # deadlines, not measures: whole chains on a busy machine
FAILED = re.compile(r"^FAILED (.+?)(?: - .*)?$", re.MULTILINE)
BROKEN = re.compile(r"^E\s+(NameError|UnboundLocalError|ImportError|ModuleNotFoundError|SyntaxError):.*", re.MULTILINE)
COLLECTED = {2: "was interrupted", 3: "failed inside pytest", 4: "was called wrongly", 5: "found no test"}


@dataclass(frozen=True, slots=True)
class Run:
    """What a test run came to. `killer` is the test that failed, None where all passed."""

    killer: str | None
    seconds: float
    output: str


@dataclass(frozen=True, slots=True)
class Result:
    """One mutant's fate; `killer` is None for a survivor, and where `trouble` says why there was no verdict."""

    mutant: Mutant
    killer: str | None
    seconds: float
    trouble: str | None = None


def run_tests(copy: Copy, tests: Iterable[str], who: str, *, within: float = SECONDS) -> Run:
    """Run these tests in the copy. Raises GuardError where they did not run to a verdict."""
    argv = [str(copy.python), "-m", "pytest", "-x", "-q", "-rfE", "-p", "no:cacheprovider", *dict.fromkeys(tests)]
    begun = time.monotonic()
    process = subprocess.Popen(
        argv, cwd=copy.root, env=copy.environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        raise GuardError(f"{who}: the tests did not end within {within:g} s") from None
    finally:
        _end(process)
    return judge(process.returncode, output, time.monotonic() - begun, who)


def _end(process: subprocess.Popen[str]) -> None:
    """End what an unfinished run left behind: engines and workers of its tests too."""
    if process.poll() is not None:
        return
    for each in (*psutil.Process(process.pid).children(recursive=True), process):
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait(10)


def judge(code: int, output: str, seconds: float, who: str) -> Run:
    """Read a finished run. Raises GuardError unless all passed or a test failed for its own reason."""
    if code == 0:
        return Run(None, seconds, output)
    failed = FAILED.findall(output)
    if code != 1 or not failed:
        raise GuardError(f"{who}: the run {COLLECTED.get(code, 'failed outside a test')}\n{output[-3000:]}")
    if broken := BROKEN.search(output):
        raise GuardError(f"{who}: the code is broken, not its mechanism removed: {broken.group(0)}")
    return Run(str(failed[0]), seconds, output)


def run_whole(copy: Copy, mutants: Iterable[Mutant]) -> float:
    """Run all tests with every mechanism in place; return the seconds. Raises GuardError where one fails."""
    tests = (test for mutant in mutants for test in mutant.tests)
    run = run_tests(copy, tests, "nothing removed", within=WHOLE_SECONDS)
    if run.killer is not None:
        raise GuardError(f"nothing removed: {run.killer} fails all the same\n{run.output[-3000:]}")
    return run.seconds


def run_mutant(copy: Copy, mutant: Mutant) -> Result:
    """Take one mechanism away and run its tests. Raises GuardError where they came to no verdict."""
    begun = time.monotonic()
    with copy.without(mutant):
        run = run_tests(copy, mutant.tests, mutant.name)
    return Result(mutant, run.killer, time.monotonic() - begun)


def run_all(copy: Copy, mutants: Iterable[Mutant], tell: Callable[[Result], None]) -> list[Result]:
    """Run every mutant, one after the other, telling each result as it comes; one without a verdict stops no other."""
    results = []
    for mutant in mutants:
        try:
            result = run_mutant(copy, mutant)
        except GuardError as error:
            result = Result(mutant, None, 0.0, str(error))
        results.append(result)
        tell(result)
    return results
