"""`inspect` answers for each file in the order given, also for what cannot be read, never with a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import samples

from attachments import inspect as inspecting
from attachments.judge import Judge


def test_verdicts_keep_the_order_and_the_sent_names(tmp_path: Path) -> None:
    (tmp_path / "1").write_bytes(samples.make_pdf())
    (tmp_path / "2").write_bytes(b"MZ")
    (tmp_path / "3").write_bytes(samples.make_jpeg())
    os.mkfifo(tmp_path / "pipe")
    files = [
        (tmp_path / "1", "C:\\fakepath\\Смета\u202e.pdf"),
        (tmp_path / "2", "Смета.pdf"),
        (tmp_path / "absent", "нет.pdf"),
        (tmp_path, "папка.pdf"),
        (tmp_path / "pipe", "труба.pdf"),
        (tmp_path / "a\x00b", "ноль.pdf"),
        (tmp_path / "3", "фото.png"),
    ]
    answers = inspecting.as_json(inspecting.inspect(files, Judge()))
    assert [answer["name"] for answer in answers] == [
        "Смета.pdf",
        "Смета.pdf",
        "нет.pdf",
        "папка.pdf",
        "труба.pdf",
        "ноль.pdf",
        "фото.jpg",
    ]
    assert [answer["verdict"] for answer in answers] == ["accept"] + ["reject"] * 5 + ["accept"]
    assert answers[0]["reason"] == ""
    assert "такого файла нет" in answers[2]["reason"]
    assert "это папка" in answers[3]["reason"]
    assert all(set(answer) == {"name", "verdict", "reason"} for answer in answers)


def test_endless_file_is_read_only_up_to_the_limit(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as stream:
        stream.truncate(5_000_000_000)
    (verdict,) = inspecting.inspect([(tmp_path / "big", "a.pdf")], Judge())
    assert "4768,4 МБ" in verdict.reason


def test_list_takes_any_name(tmp_path: Path) -> None:
    text = json.dumps([{"path": "1", "name": "\ud800\x00а.pdf"}, {"path": "/2/б.pdf"}])
    assert inspecting.read_list(text, tmp_path) == [(tmp_path / "1", "\ud800\x00а.pdf"), (Path("/2/б.pdf"), "б.pdf")]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "не читается"),
        ("[" * 100_000, "не читается"),
        ('{"path": "1"}', "массивом"),
        ('[{"path": "1"}, {"name": "a"}]', "Запись 2"),
        ("[1]", "Запись 1"),
        ('[{"path": "1", "name": 5}]', "Запись 1"),
    ],
)
def test_list_of_another_form_is_named(text: str, part: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=part):
        inspecting.read_list(text, tmp_path)
