"""No bad file is accepted, each is refused with the sentence that says what is wrong and what to do."""

from __future__ import annotations

import base64
import resource
from functools import cache

import forgeries
import pytest
from bad_corpus import BAD, BOMBS

from attachments import sentences
from attachments.judge import Judge
from attachments.pool import Pool


@cache
def built(case: str) -> bytes:
    """Build a file once; bombs are judged twice."""
    return BAD[case][1]()


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


@pytest.mark.parametrize("case", BAD)
def test_bad_file_is_refused_with_its_own_sentence(judge: Judge, case: str) -> None:
    name, _, part = BAD[case]
    accepted, sentence = judge.judge(name, built(case))
    assert not accepted
    assert part in sentence
    assert sentence.endswith(".")
    assert "не удалось" not in sentence


def test_corpus_is_broad() -> None:
    assert len(BAD) >= 60


@pytest.mark.parametrize("case", BOMBS)
def test_bomb_is_refused_within_two_seconds_of_processor_time(case: str) -> None:
    """Processor time, because tests share their machine; the start of the child is counted too."""
    pool = Pool(size=1)
    before = _children_seconds()
    assert not Judge(pool=pool).judge(BOMBS[case][0], built(f"bomb: {case}"))[0]
    pool.close()
    assert _children_seconds() - before < 2.5


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_workbook_locked_by_a_real_program_asks_to_take_the_password_off(judge: Judge) -> None:
    text = (forgeries.FOLDER / "locked-workbook.xlsx.base64").read_text()
    assert judge.judge("смета.xlsx", base64.b64decode(text)) == (False, sentences.LOCKED)
