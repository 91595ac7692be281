"""Whatever keeps the embedded engine from starting is said in one sentence, and nothing is left behind."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from pydantic import SecretStr

from engine import embedded
from engine.embedded import EmbeddedEngine, leftover, stop_leftover
from engine.folder import folder_sentence
from engine.java import StartError, find_java, java_version, read_version


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def java_home(folder: Path, version: str) -> Path:
    script(folder / "bin" / "java", f"echo 'openjdk version \"{version}\" 2025-04-15' >&2")
    return folder


def engine(folder: Path, jar: Path | None = None, **options: Any) -> EmbeddedEngine:
    if jar is None:
        jar = folder / "server.jar"
        jar.write_bytes(b"PK")
    return EmbeddedEngine(
        jar, folder / "data", admin_user="admin", admin_password=SecretStr("geheim"), start_seconds=20, **options
    )


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A java that is new enough and does what the test writes into it."""
    home = java_home(tmp_path / "jdk", "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(home))
    return home / "bin" / "java"


def running(java: Path, then: str) -> None:
    script(java, f'if [ "$1" = -version ]; then echo \'openjdk version "17.0.15"\' >&2; exit; fi\n{then}')


@pytest.mark.parametrize(
    ("text", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "25" 2025', 25),
        ("x", None),
    ],
)
def test_the_version_is_read(text: str, major: int | None) -> None:
    assert read_version(text) == major


def test_a_java_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert java_version(tmp_path / "nothing") is None


def test_no_java_names_the_package(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"^Java не найдена.*openjdk-17-jre-headless") as caught:
        find_java({"PATH": str(tmp_path)})
    assert "\n" not in str(caught.value)


def test_an_old_java_is_named_with_the_package(tmp_path: Path) -> None:
    home = java_home(tmp_path / "old", "11.0.2")
    with pytest.raises(StartError, match=r"слишком старая.*11.*openjdk-17-jre-headless"):
        find_java({"JAVA_HOME": str(home), "PATH": ""})


def test_a_newer_java_on_the_path_beats_an_old_home(tmp_path: Path) -> None:
    old, new = java_home(tmp_path / "old", "11.0.2"), java_home(tmp_path / "new", "21.0.1")
    assert find_java({"JAVA_HOME": str(old), "PATH": str(new / "bin")}) == new / "bin" / "java"


def test_a_missing_jar_says_how_to_build_it(tmp_path: Path, java: Path) -> None:
    with pytest.raises(StartError, match="make server"):
        engine(tmp_path, tmp_path / "no.jar").start()


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path, java: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=f"^Порт {port} занят"):
            engine(tmp_path, port=port).start()
    assert not (tmp_path / "data" / "engine.pid").exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, java: Path) -> None:
    """A file in the way stops root too; a plain user also meets the missing right."""
    (tmp_path / "data").write_text("")
    with pytest.raises(StartError, match=r"ORDER_ROUTE_DATA_DIR"):
        engine(tmp_path).start()


@pytest.mark.parametrize(("number", "sentence"), [(28, "нет места"), (30, "нельзя писать"), (13, "нельзя писать")])
def test_the_system_says_why_the_folder_is_no_good(number: int, sentence: str, tmp_path: Path) -> None:
    assert sentence in folder_sentence(tmp_path, OSError(number, os.strerror(number)))


def test_a_full_disk_is_said(tmp_path: Path, java: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10 << 20))
    with pytest.raises(StartError, match="осталось 10 МБ"):
        engine(tmp_path).start()


def test_an_engine_that_dies_shows_its_log(tmp_path: Path, java: Path) -> None:
    running(java, "echo first line; echo 'No space left on device'; exit 3")
    with pytest.raises(StartError, match=r"(?s)с кодом 3: на диске нет места.*first line"):
        engine(tmp_path).start()
    assert not (tmp_path / "data" / "engine.pid").exists()


def test_an_engine_that_never_answers_is_killed(tmp_path: Path, java: Path) -> None:
    running(java, f"echo $$ > {tmp_path}/jvm.pid; exec sleep 600")
    silent = engine(tmp_path)
    silent._start_seconds = 1.0
    with pytest.raises(StartError, match="не ответил за 1 с"):
        silent.start()
    assert not psutil.pid_exists(int((tmp_path / "jvm.pid").read_text()))


def test_the_jvm_gets_its_settings_and_no_others(tmp_path: Path, java: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above all the database address with WRITE_DELAY=0, and no secret on the command line."""
    monkeypatch.setenv("ORDER_ROUTE_BITRIX_WEBHOOK_URL", "https://portal/rest/1/geheim/")
    monkeypatch.setenv("SPRING_PROFILES_ACTIVE", "demo")
    running(java, f'env > {tmp_path}/env; echo "$@" > {tmp_path}/args; exit 1')
    started = engine(tmp_path, reconcile_seconds=7, time_zone="Asia/Omsk", language="en")
    with pytest.raises(StartError):
        started.start()
    lines = (tmp_path / "env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if "=" in line)
    secret = (tmp_path / "data" / "h2.secret").read_text()
    assert given["SPRING_DATASOURCE_URL"] == f"jdbc:h2:file:{tmp_path / 'data' / 'engine'};WRITE_DELAY=0"
    assert given["SPRING_DATASOURCE_PASSWORD"] == secret and len(secret) >= 32
    assert given["ORDER_ROUTE_RECONCILE_SECONDS"] == "7"
    assert (given["ORDER_ROUTE_TIME_ZONE"], given["ORDER_ROUTE_LANGUAGE"]) == ("Asia/Omsk", "en")
    assert "ORDER_ROUTE_BITRIX_WEBHOOK_URL" not in given and "SPRING_PROFILES_ACTIVE" not in given
    arguments = (tmp_path / "args").read_text()
    assert secret not in arguments and "geheim" not in arguments and "--spring.profiles.active" not in arguments


def test_the_database_password_is_made_once_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    first = embedded._database_password(tmp_path)
    assert embedded._database_password(tmp_path) == first
    assert (tmp_path / "h2.secret").stat().st_mode & 0o777 == 0o600


def test_a_leftover_engine_is_recognised_and_can_be_stopped(tmp_path: Path, java: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    old = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        embedded._write_pid(data, old.pid, 8080)
        assert leftover(data) == old.pid
        with pytest.raises(StartError, match=f"уже работает движок.*kill {old.pid}"):
            engine(tmp_path).start()
        assert stop_leftover(data) and old.wait(10) is not None
        assert leftover(data) is None and not stop_leftover(data)
    finally:
        old.kill()
        old.wait()


def test_a_number_given_to_another_program_is_no_leftover(tmp_path: Path) -> None:
    (tmp_path / "engine.pid").write_text(json.dumps({"pid": os.getpid(), "started": 1.0, "port": 1}))
    assert leftover(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x", "started": 1}', '{"pid": 1}'])
def test_a_spoilt_pid_file_is_no_leftover(text: str, tmp_path: Path) -> None:
    (tmp_path / "engine.pid").write_text(text)
    assert leftover(tmp_path) is None


def test_stopping_what_never_started_is_harmless(tmp_path: Path) -> None:
    engine(tmp_path).stop()
    engine(tmp_path).kill()
