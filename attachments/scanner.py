"""The virus scanner as an option: clamd over TCP or a unix socket. Source: clamd(8), command INSTREAM."""

from __future__ import annotations

import re
import socket
import struct

_CHUNK = 64 * 1024
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 60.0
_LONGEST_ANSWER = 4096
_FOUND = re.compile(r"^(?:stream|instream)[^:]*:\s*(.+?)\s+FOUND$", re.IGNORECASE)


class ScannerDown(Exception):
    """The scanner is set but did not give a usable answer: nothing may pass, the caller waits and asks again."""


class Clamd:
    """A clamd reached at `host:port` or at the path of its socket."""

    def __init__(self, address: str, seconds: float = _ANSWER_SECONDS) -> None:
        """Take the address and the time for one answer in seconds. Raises ValueError for an address of another form."""
        self._path, self._host, self._port = _parsed(address)
        self._seconds = seconds

    def scan(self, data: bytes) -> str | None:
        """Return the name of what was found, or None where the file is clean. Raises ScannerDown."""
        try:
            with self._connect() as link:
                link.sendall(b"zINSTREAM\x00")
                for at in range(0, len(data), _CHUNK):
                    piece = data[at : at + _CHUNK]
                    link.sendall(struct.pack(">I", len(piece)) + piece)
                link.sendall(struct.pack(">I", 0))
                answer = _read_answer(link)
        except OSError as error:
            raise ScannerDown(f"clamd: {type(error).__name__}") from error
        return _verdict(answer)

    def _connect(self) -> socket.socket:
        if self._path:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                link.settimeout(_CONNECT_SECONDS)
                link.connect(self._path)
            except OSError:
                link.close()
                raise
        else:
            link = socket.create_connection((self._host, self._port), timeout=_CONNECT_SECONDS)
        link.settimeout(self._seconds)
        return link


def _parsed(address: str) -> tuple[str, str, int]:
    plain = address.strip().removeprefix("unix:").removeprefix("tcp:")
    if plain.startswith("/") and not plain.startswith("//"):
        return plain, "", 0
    host, _, port = plain.removeprefix("//").rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("CLAMD: host:port or the path of the socket is needed")
    return "", host.strip("[]"), int(port)


def _read_answer(link: socket.socket) -> str:
    answer = b""
    while not answer.endswith((b"\x00", b"\n")) and len(answer) < _LONGEST_ANSWER:
        piece = link.recv(_LONGEST_ANSWER)
        if not piece:
            break
        answer += piece
    return answer.rstrip(b"\x00\r\n").decode("utf-8", "replace")


def _verdict(answer: str) -> str | None:
    if answer.endswith(": OK"):
        return None
    if found := _FOUND.match(answer):
        return found[1]
    raise ScannerDown(f"clamd: unusable answer {answer[:80]!r}")
