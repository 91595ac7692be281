"""Rule: one table decides what the engine is told about a failed attempt (design.md 7), and nothing is ever lost."""

from __future__ import annotations

import pytest

from engine.errors import BadRequest, Conflict, EngineDown, ServerError, TooLong
from ledger.errors import ForeignLedger, LedgerError
from orders.errors import BusinessError, Permanent, PortalUnavailable, Transient
from workers.details import MESSAGE_LENGTH, sentence, traceback_text
from workers.failures import (
    CRASH_ATTEMPTS,
    LADDER,
    BpmnError,
    Decision,
    Failure,
    GiveUp,
    Situation,
    crashed,
    decide,
)

DOWN = PortalUnavailable("портал не отвечает")
DAY = 24 * 3600.0


def told(error: BaseException, retries: int | None = None, **more: object) -> tuple[object, ...]:
    """Return the decision's kind and numbers."""
    decision = decide(error, Situation("some-topic", retries=retries, **more))  # type: ignore[arg-type]
    if isinstance(decision, Failure):
        return ("failure", decision.retries, decision.wait)
    return (type(decision).__name__,)


@pytest.mark.parametrize(
    ("error", "retries", "expected"),
    [
        # unknown exceptions: 3 attempts, 5 s and 15 s apart, then an incident
        (ValueError("x"), None, ("failure", 2, 5.0)),
        (ValueError("x"), 2, ("failure", 1, 15.0)),
        (ValueError("x"), 1, ("failure", 0, 0.0)),
        (ValueError("x"), 9, ("failure", 2, 5.0)),  # after waiting for the portal: its own three attempts
        (RecursionError(), None, ("failure", 2, 5.0)),
        (MemoryError(), 2, ("failure", 1, 15.0)),
        (SystemExit(3), 1, ("failure", 0, 0.0)),
        (ServerError("next step failed"), None, ("failure", 2, 5.0)),
        # no retry can help
        (Permanent("нет шага"), None, ("failure", 0, 0.0)),
        (Permanent("нет шага"), 7, ("failure", 0, 0.0)),
        (BadRequest("wrong value"), None, ("failure", 0, 0.0)),
        (TooLong("4001"), 2, ("failure", 0, 0.0)),
        # something is away: the ladder
        (DOWN, None, ("failure", 13, 30.0)),
        (DOWN, 13, ("failure", 12, 120.0)),
        (DOWN, 12, ("failure", 11, 600.0)),
        (DOWN, 4, ("failure", 3, 14400.0)),
        (DOWN, 3, ("failure", 0, 0.0)),  # the twelfth attempt
        (DOWN, 2, ("failure", 1, 30.0)),  # after an unknown exception: not at the ladder's end
        (DOWN, 1, ("failure", 0, 0.0)),  # an operator gave one retry
        (Transient("занято", retry_after=45.0), None, ("failure", 13, 45.0)),
        (EngineDown("away"), None, ("failure", 13, 30.0)),
        (Conflict("twice"), None, ("failure", 13, 30.0)),
        (LedgerError("диск полон"), None, ("failure", 13, 30.0)),
        (LedgerError("диск полон"), 13, ("failure", 12, 120.0)),
        (ForeignLedger("чужой"), 1, ("failure", 0, 0.0)),
    ],
)
def test_table(error: BaseException, retries: int | None, expected: tuple[object, ...]) -> None:
    """Each row of the table gives its answer."""
    assert told(error, retries) == expected


def test_whole_ladder_lasts_about_a_day_and_ends() -> None:
    """A portal that never comes back makes one incident after eleven retries, not an endless task."""
    retries: int | None = None
    waits = []
    while retries != 0:
        decision = decide(DOWN, Situation("reconcile-portal", retries=retries))
        assert isinstance(decision, Failure)
        retries = decision.retries
        waits.append(decision.wait)
    assert waits[:-1] == list(LADDER)
    assert 0.9 * DAY < sum(waits) < 1.1 * DAY


@pytest.mark.parametrize("kinds", [(DOWN, ValueError("x")), (ValueError("x"), DOWN)])
def test_two_kinds_in_turn_end(kinds: tuple[Exception, ...]) -> None:
    """A task that fails now so, now so, still ends at an incident."""
    retries: int | None = None
    for turn in range(10):
        decision = decide(kinds[turn % 2], Situation("t", retries=retries))
        assert isinstance(decision, Failure)
        retries = decision.retries
        if decision.incident:
            return
    pytest.fail("no incident after ten attempts")


def test_known_outage_uses_up_no_retry() -> None:
    """While the portal is known to be down, waiting costs no retry."""
    assert told(DOWN, 5, portal_down=True)[:2] == ("failure", 5)
    assert told(DOWN, None, portal_down=True)[:2] == ("failure", 14)


@pytest.mark.parametrize(
    ("error", "age", "expected"),
    [
        (DOWN, 0.0, ("failure", 14, 30.0)),
        (DOWN, 45.0, ("failure", 14, 15.0)),  # never past the patience
        (DOWN, 59.5, ("failure", 14, 0.5)),
        (DOWN, 60.0, ("GiveUp",)),
        (DOWN, 4000.0, ("GiveUp",)),
        (Transient("заказ занят", retry_after=2.0), 10.0, ("failure", 14, 2.0)),
        (EngineDown("away"), 61.0, ("GiveUp",)),
        (Permanent("карточка удалена"), 61.0, ("failure", 0, 0.0)),  # patience is for absence only
        (ValueError("x"), 61.0, ("failure", 2, 5.0)),
    ],
)
def test_patience(error: Exception, age: float, expected: tuple[object, ...]) -> None:
    """A step waits for the portal only until its patience is over, counted from its creation."""
    assert told(error, None, age=age, patience=60.0) == expected


def test_business_error_only_where_the_diagram_catches_it() -> None:
    """A code nobody catches would end the order silently: it becomes an incident that names it."""
    error = BusinessError("ATTACHMENT_REJECTED", "Файл пуст", {"refusal_X": "Файл пуст"})
    caught = decide(error, Situation("validate-attachments", caught=frozenset({"ATTACHMENT_REJECTED"})))
    assert caught == BpmnError("ATTACHMENT_REJECTED", "Файл пуст", {"refusal_X": "Файл пуст"})
    uncaught = decide(error, Situation("validate-attachments", caught=frozenset({"OTHER"})))
    assert isinstance(uncaught, Failure)
    assert uncaught.incident
    assert "ATTACHMENT_REJECTED" in uncaught.message
    assert "Файл пуст" in uncaught.message


def test_crashes_are_counted() -> None:
    """A task that takes its process down five times is put aside with a reason."""
    assert [crashed("t", n) for n in range(1, CRASH_ATTEMPTS + 1)] == [None] * CRASH_ATTEMPTS
    failure = crashed("sync-stage", CRASH_ATTEMPTS + 1)
    assert failure is not None
    assert failure.incident
    assert "sync-stage" in failure.message


def raised(error: BaseException) -> BaseException:
    """Return the error with a traceback."""
    try:
        raise error
    except BaseException as same:
        return same


def hide(text: str) -> str:
    """Mask one secret."""
    return text.replace("s3cret", "***")


@pytest.mark.parametrize("error", [ValueError("token s3cret"), Permanent("s3cret"), Transient("s3cret")])
def test_secrets_reach_neither_message_nor_details(error: Exception) -> None:
    """Both texts of a failure are masked."""
    decision: Decision = decide(raised(error), Situation("t"), hide)
    assert isinstance(decision, Failure)
    assert "***" in decision.message
    assert "***" in decision.details
    assert "s3cret" not in decision.message + decision.details


def test_message_is_one_readable_line() -> None:
    """The message has no traceback, no control characters and fits; the details hold the traceback."""
    decision = decide(raised(KeyError("a\nb\x00" + "ж" * 2000)), Situation("close-order"))
    assert isinstance(decision, Failure)
    assert len(decision.message) == MESSAGE_LENGTH
    assert decision.message.endswith("…")
    assert decision.message.startswith("close-order: внутренняя ошибка KeyError")
    assert "\n" not in decision.message
    assert "\x00" not in decision.message + decision.details
    assert "Traceback" in decision.details
    assert "Traceback" not in decision.message


def test_secret_at_the_cut_is_masked_before_cutting() -> None:
    """Half a secret is a secret too."""
    text = "x" * (MESSAGE_LENGTH - 3) + "s3cret"
    assert "s3" not in sentence(text, hide)


def test_long_traceback_keeps_its_end() -> None:
    """The last frames and the error itself are what one needs."""

    def deep(n: int) -> None:
        if not n:
            raise ValueError("the end")
        deep(n - 1)

    try:
        deep(200)
    except ValueError as error:
        assert traceback_text(error).rstrip().endswith("ValueError: the end")


def test_patience_over_says_why() -> None:
    """The log line of a step that went on without the portal has a reason."""
    assert decide(DOWN, Situation("sync-stage", age=99, patience=60)) == GiveUp("портал не отвечает")
