"""Settings of the judge: types only among those it can judge, zip and text only where allowed, scanner fail-closed."""

from __future__ import annotations

import base64
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import forgeries
import pytest
import samples

from attachments import judge as judging
from attachments.judge import Judge
from attachments.scanner import Clamd, ScannerDown

CP866_FILE = forgeries.FOLDER / "names-cp866.zip.base64"


@contextmanager
def clamd(answer: bytes, unix: Path | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """A clamd that takes one stream and gives one answer; yields its address and what it was sent."""
    server = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    server.bind(str(unix) if unix else ("127.0.0.1", 0))
    server.listen()
    server.settimeout(10)
    taken: list[bytes] = []

    def serve() -> None:
        link, _ = server.accept()
        with link, link.makefile("rb") as stream:
            assert stream.read(10) == b"zINSTREAM\x00"
            body = b""
            while length := struct.unpack(">I", stream.read(4))[0]:
                body += stream.read(length)
            taken.append(body)
            link.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield (str(unix) if unix else f"127.0.0.1:{server.getsockname()[1]}"), taken
    finally:
        thread.join(10)
        server.close()


def test_clean_file_passes_the_scanner_byte_by_byte() -> None:
    data = samples.make_pdf(pages=40)
    with clamd(b"stream: OK\x00") as (address, taken):
        assert Judge(clamd=address).judge("a.pdf", data) == (True, "a.pdf")
    assert taken == [data]


def test_threat_is_named(tmp_path: Path) -> None:
    with clamd(b"stream: Win.Test.EICAR_HDB-1 FOUND\x00", unix=tmp_path / "s") as (address, _):
        accepted, sentence = Judge(clamd=address).judge("a.pdf", samples.make_pdf())
    assert not accepted
    assert "Win.Test.EICAR_HDB-1" in sentence


@pytest.mark.parametrize("answer", [b"", b"INSTREAM size limit exceeded. ERROR\x00", b"UNKNOWN COMMAND\x00"])
def test_nothing_passes_without_a_usable_answer(answer: bytes) -> None:
    with clamd(answer) as (address, _), pytest.raises(ScannerDown):
        Judge(clamd=address).judge("a.pdf", samples.make_pdf())


def test_nothing_passes_while_the_scanner_is_away(tmp_path: Path) -> None:
    with pytest.raises(ScannerDown):
        Judge(clamd=str(tmp_path / "absent")).judge("a.pdf", samples.make_pdf())


def test_refused_file_does_not_wait_for_the_scanner(tmp_path: Path) -> None:
    assert not Judge(clamd=str(tmp_path / "absent")).judge("a.exe", forgeries.EXE)[0]


@pytest.mark.parametrize("address", ["", "localhost", "host:", "host:0", "host:99999", "host:abc"])
def test_address_of_another_form_is_named(address: str) -> None:
    with pytest.raises(ValueError, match="CLAMD"):
        Clamd(address)


def test_types_may_be_narrowed() -> None:
    accepted, sentence = Judge(types=["pdf", ".DXF"]).judge("a.xlsx", samples.make_xlsx())
    assert not accepted
    assert sentence.endswith("в одном из видов: pdf, dxf.")


@pytest.mark.parametrize("types", [["exe"], ["pdf", "psd"], []])
def test_types_that_cannot_be_judged_are_named(types: list[str]) -> None:
    with pytest.raises(ValueError, match="ATTACHMENT_TYPES"):
        Judge(types=types)


def test_picture_of_a_kind_that_is_not_allowed_gets_no_new_name() -> None:
    assert not Judge(types=["png"]).judge("a.png", samples.make_jpeg())[0]


@pytest.mark.parametrize("body", [b"null", b"eyJhIjoxfQ==", "Стол".encode("cp1251"), "Стол".encode("utf-16"), b"a;b\n"])
def test_text_is_taken_where_allowed_and_never_decoded(body: bytes) -> None:
    assert Judge(types=["txt"]).judge("a.txt", body) == (True, "a.txt")


@pytest.mark.parametrize("body", [bytes(range(256)), forgeries.EXE, forgeries.HTML, b"PK\x03\x04"])
def test_what_is_no_text_is_refused_as_text(body: bytes) -> None:
    assert not Judge(types=["txt"]).judge("a.txt", body)[0]


def test_archive_is_taken_where_allowed_if_each_member_would_be() -> None:
    judge = Judge(types=["zip", "pdf", "xlsx"])
    good = samples.make_zip({"Смета.xlsx": samples.make_xlsx(), "a/b.pdf": samples.make_pdf()})
    assert judge.judge("a.zip", good)[0]
    assert judge.judge("a.zip", base64.b64decode(CP866_FILE.read_text()))[0]
    for name, body in (
        ("a.exe", forgeries.EXE),
        ("a.pdf", forgeries.pdf_script()),
        ("a.zip", good),
        ("a.xlsx", samples.changed(samples.make_xlsx(), {"xl/vbaProject.bin": forgeries.OLE})),
    ):
        assert not judge.judge("a.zip", samples.make_zip({"good.pdf": samples.make_pdf(), name: body}))[0], name


def test_module_function_answers_like_a_judge() -> None:
    assert judging.judge("a.pdf", samples.make_pdf()).accepted
    assert not judging.judge("a.pdf", samples.make_pdf(), max_bytes=100).accepted
    assert not judging.judge("a.pdf", samples.make_pdf(), types=["dxf"]).accepted
