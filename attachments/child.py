"""The child process that opens strangers' files: `python -m attachments.child`, spoken to over its pipes.

A request is one line of JSON {extension, allowed, size}, then that many bytes; the answer is one line of JSON, either
{kind, extension}, {refusal} or {failure}. Nothing of the parent's environment reaches it, it may write no file, and it
gives up by itself when memory or time run out, so that a parser that dies or hangs takes nobody along.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from attachments import content
from attachments.sentences import Refusal

MEMORY_BYTES = 300 * 1024 * 1024
SECONDS = 10
_ORPHAN_SECONDS = 70
_TIRED_BYTES = 160 * 1024 * 1024


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    requests, answers = _own_pipes()
    _limit()
    while header := requests.readline():
        request = json.loads(header)
        signal.setitimer(signal.ITIMER_REAL, _ORPHAN_SECONDS)  # the parent ends it sooner, unless it is gone
        answer = _answer(request, requests.read(request["size"]))
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
        if _resident() > _TIRED_BYTES:
            return  # a fresh process costs less than memory that a parser did not give back


def _answer(request: dict[str, object], data: bytes) -> dict[str, str]:
    extension, allowed = str(request["extension"]), request["allowed"]
    assert isinstance(allowed, list)
    try:
        found = content.examine(extension, data, tuple(allowed))
    except Refusal as refusal:
        return {"refusal": str(refusal)}
    except MemoryError:
        return {"failure": "не хватило памяти"}
    except Exception as error:  # the one place: whatever a parser throws at a hostile file must not end the judge
        return {"failure": "разбор прерван", "detail": type(error).__name__}
    return {"kind": found.kind, "extension": found.extension}


def _resident() -> int:
    """Return the memory held now, in bytes. The kernel's own maximum would count the parent's before the exec."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the two pipes away from anything a parser may print or read."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    return requests, answers


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer; the pipe's end follows
    sys.setrecursionlimit(1000)


if __name__ == "__main__":
    main()
