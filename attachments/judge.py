"""The judge of attachments: a name as a browser sent it and bytes in, one verdict out."""

from __future__ import annotations

import atexit
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from attachments import kinds, names, sentences
from attachments.pool import CheckFailed, Pool
from attachments.scanner import Clamd

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Verdict:
    """What was decided: `name` is clean to show; `reason` is empty, or one Russian sentence; mime by the bytes."""

    name: str
    verdict: Literal["accept", "reject"]
    reason: str = ""
    mime: str = ""
    kind: str = ""

    @property
    def accepted(self) -> bool:
        """Tell whether the file may go on."""
        return self.verdict == "accept"


class Judge:
    """Judges files for one set of settings. Safe to share between threads; fulfils `orders.ports.Judge`."""

    def __init__(
        self,
        types: Iterable[str] | None = None,
        max_mib: float = 20,
        clamd: str | None = None,
        *,
        pool: Pool | None = None,
    ) -> None:
        """Take allowed endings (default: `kinds.DEFAULT`), the limit in MiB, inclusive, and the scanner's address.

        Raises ValueError for endings that cannot be judged and for an address of another form.
        """
        self._types = kinds.checked(tuple(types)) if types is not None else kinds.DEFAULT
        self._limit = int(max_mib * MEBIBYTE)
        self._scanner = Clamd(clamd) if clamd else None
        self._pool = pool or _shared_pool()

    @property
    def max_bytes(self) -> int:
        """Return the largest size that is accepted, in bytes."""
        return self._limit

    def judge(self, name: str, data: bytes) -> tuple[bool, str]:
        """Return (True, clean name) or (False, one Russian sentence). Raises ScannerDown: wait and ask again."""
        verdict = self.verdict(name, data)
        return verdict.accepted, verdict.name if verdict.accepted else verdict.reason

    def verdict(self, name: str, data: bytes) -> Verdict:
        """Judge one file in full. Raises ScannerDown when the scanner is set and does not answer."""
        shown = names.clean(name)
        extension = names.extension(shown)
        if reason := self._first_look(extension, data):
            return Verdict(shown, "reject", reason)
        try:
            answer = self._pool.ask(extension, self._types, data)
        except CheckFailed as failure:
            return Verdict(shown, "reject", sentences.CHECK_FAILED.format(why=failure))
        if "refusal" in answer:
            return Verdict(shown, "reject", answer["refusal"])
        if self._scanner and (threat := self._scanner.scan(data)):
            return Verdict(shown, "reject", sentences.VIRUS.format(what=threat))
        if answer["extension"] != extension:
            shown = names.with_extension(shown, answer["extension"])
        return Verdict(shown, "accept", "", kinds.MIME[answer["kind"]], answer["kind"])

    def too_large(self, name: str, size: int) -> Verdict:
        """Return the refusal of a file whose size alone, in bytes, is known to be over the limit."""
        return Verdict(names.clean(name), "reject", sentences.too_large(size, self._limit))

    def _first_look(self, extension: str, data: bytes) -> str:
        """What needs no child: the ending, the size."""
        if not data:
            return sentences.EMPTY
        if reason := kinds.refusal_of(extension, self._types):
            return reason
        return sentences.too_large(len(data), self._limit) if len(data) > self._limit else ""


def judge(name: str, data: bytes, *, types: Iterable[str] | None = None, max_bytes: int = 20 * MEBIBYTE) -> Verdict:
    """Judge one file without keeping a judge; the child processes are shared all the same."""
    return Judge(types, max_bytes / MEBIBYTE).verdict(name, data)


@cache
def _shared_pool() -> Pool:
    """One pool per process. The children would end by themselves when their pipes close; this is tidier."""
    pool = Pool()
    atexit.register(pool.close)
    return pool
