"""No secret and no personal datum passes the log, whatever carries it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.logs import configure, mask, redact


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Logs as JSON into a text of ours; afterwards everything is as it was."""
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    text = io.StringIO()
    configure("json", text)
    yield text
    structlog.configure(**before)
    logging.getLogger().handlers[:] = handlers


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("GET https://portal.example/rest/1/s3cr3t/crm.item.get failed", "s3cr3t"),
        ("POST https://portal.example/rest/api/1/s3cr3t/tasks.task.add", "s3cr3t"),
        ("/rest/crm.controller.item.getFile.json?auth=s3cr3t&token=s3cr3t2", "s3cr3t"),
        ("postgresql://route:s3cr3t@db:5432/route", "s3cr3t"),
        ("Authorization: Basic czNjcjN0", "czNjcjN0"),
        ("application_token=s3cr3t", "s3cr3t"),
    ],
)
def test_masked(text: str, secret: str) -> None:
    assert secret not in mask(text)


def test_personal_fields_are_dropped_and_the_order_stays() -> None:
    event = {"event": "x", "customerContact": "+7 900", "business_key": "ORD-2026-00001", "error": "auth=abc"}
    clean = redact(None, "info", event)
    assert clean == {"event": "x", "customerContact": "***", "business_key": "ORD-2026-00001", "error": "auth=***"}


def test_what_a_library_says_is_a_line_like_ours(out: io.StringIO) -> None:
    library = logging.getLogger("some.library")
    try:
        raise OSError("no way to https://portal.example/rest/1/s3cr3t/batch")
    except OSError:
        library.exception("broken: %s", "application_token=s3cr3t")
    library.info("chatter")
    (line,) = out.getvalue().splitlines()
    said = json.loads(line)
    assert (said["logger"], said["level"], said["event"]) == ("some.library", "error", "broken: application_token=***")
    assert "OSError" in said["exception"] and "s3cr3t" not in line


def test_set_up_twice_everything_is_said_once(out: io.StringIO) -> None:
    configure("json", out)
    logging.getLogger("some.library").warning("once")
    assert len(out.getvalue().splitlines()) == 1
