"""Health says the truth: green only while nothing is wrong, reasons only on the inside address."""

from __future__ import annotations

import socket

import pytest
import requests

from app.web import ListenError, inside_site, public_site, serve


def test_public_health_hides_the_reason() -> None:
    good, bad = public_site(list), public_site(lambda: ["исполнитель молчит"])
    assert good.test_client().get("/healthz").status_code == 200
    answer = bad.test_client().get("/healthz")
    assert answer.status_code == 503
    assert "исполнитель" not in answer.get_data(as_text=True)
    assert good.test_client().get("/metrics").status_code == 404


def test_inside_says_the_reason_and_metrics() -> None:
    site = serve(inside_site(lambda: ["движок не отвечает"]), "127.0.0.1:0", "ORDER_ROUTE_BOARD_LISTEN")
    try:
        answer = requests.get(f"http://127.0.0.1:{site.port}/readyz", timeout=5)
        assert (answer.status_code, answer.json()["problems"]) == (503, ["движок не отвечает"])
        assert "python_info" in requests.get(f"http://127.0.0.1:{site.port}/metrics", timeout=5).text
    finally:
        site.close()


def test_taken_port_is_one_sentence_that_names_the_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ListenError, match="ORDER_ROUTE_WEB_LISTEN"):
            serve(public_site(list), f"127.0.0.1:{taken.getsockname()[1]}", "ORDER_ROUTE_WEB_LISTEN")
