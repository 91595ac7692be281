"""What a mutant is: one mechanism taken out of one file, and the tests that must fail then."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class GuardError(Exception):
    """The guard itself cannot do its work: a mutant that does not fit, a test that does not run."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mechanism taken away. `old` stands exactly once in `file`; `tests` are the cheapest that must notice."""

    name: str
    mechanism: str  # "K key", "L ledger", … : what protects
    removed: str  # in words, for the table
    file: str
    old: str
    new: str
    tests: tuple[str, ...]  # pytest node ids
    quick: bool = False  # runs within `make test`

    @property
    def java(self) -> bool:
        """Tell whether the server has to be built anew."""
        return self.file.startswith("server/")

    def applied_to(self, text: str) -> str:
        """Return the file's text without the mechanism. Raises GuardError that names the mutant."""
        if (times := text.count(self.old)) != 1:
            raise GuardError(
                f"{self.name}: the old text stands {times} times in {self.file}, wanted once: mend the list"
            )
        mutated = text.replace(self.old, self.new)
        if mutated == text:
            raise GuardError(f"{self.name}: nothing is removed")
        if self.file.endswith(".py"):
            try:
                compile(mutated, self.file, "exec")
            except SyntaxError as error:
                raise GuardError(f"{self.name}: {self.file} is no Python any more, line {error.lineno}") from error
        return mutated


def check(mutants: tuple[Mutant, ...], root: Path) -> None:
    """Raise GuardError with every mutant that does not fit the sources; runs no test."""
    problems = []
    names = [mutant.name for mutant in mutants]
    problems += [f"{name}: the name stands twice" for name in sorted({n for n in names if names.count(n) > 1})]
    for mutant in mutants:
        try:
            mutant.applied_to((root / mutant.file).read_text(encoding="utf-8"))
        except (GuardError, OSError) as error:
            problems.append(str(error))
        problems += [
            f"{mutant.name}: no test file {test}" for test in mutant.tests if not (root / test.split("::")[0]).is_file()
        ]
    if problems:
        raise GuardError("\n".join(problems))
