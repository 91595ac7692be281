"""The judge as the worker uses it: a refusal names the file, a scanner that is down makes the step wait."""

from __future__ import annotations

from attachments.judge import Judge
from attachments.scanner import ScannerDown
from orders.errors import Transient


class StepJudge:
    """Fulfils `orders.ports.Judge` over the judge of attachments."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    def judge(self, name: str, data: bytes) -> tuple[bool, str]:
        """Return (True, clean name) or (False, sentence with the file's name). Raises Transient: ask again later."""
        try:
            found = self._judge.verdict(name, data)
        except ScannerDown as error:
            raise Transient("Антивирус не отвечает: файлы проверятся, когда он вернётся", 30.0) from error
        return found.accepted, found.name if found.accepted else f"«{found.name}»: {found.reason}"
