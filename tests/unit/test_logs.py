"""No secret and no personal datum passes the log, whatever carries it."""

from __future__ import annotations

import pytest

from app.logs import mask, redact


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
