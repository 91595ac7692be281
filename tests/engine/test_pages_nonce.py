"""Rule: a page of the engine runs its scripts however many people open pages at that moment: the word in each of its
scripts is the one that its own Content-Security-Policy names, and no other page's."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from shop import Shop

pytestmark = pytest.mark.engine
PEOPLE, VISITS = 8, 40


def words(page: str) -> tuple[set[str], set[str]]:
    """Open a page; return the words of its header and those of its scripts."""
    answer = requests.get(page, timeout=60)
    assert answer.status_code == 200, page
    return (
        set(re.findall(r"'nonce-([^']*)'", answer.headers["Content-Security-Policy"])),
        set(re.findall(r'nonce="([^"]*)"', answer.text)),
    )


@pytest.mark.parametrize("app", ["tasklist", "cockpit", "admin", "welcome"])
def test_a_page_trusts_its_own_scripts_only(shop: Shop, app: str) -> None:
    page = shop.url.removesuffix("/engine-rest") + f"/operaton/app/{app}/default/"
    with ThreadPoolExecutor(PEOPLE) as people:
        seen = list(people.map(words, [page] * PEOPLE * VISITS))
    assert [(header, scripts) for header, scripts in seen if header != scripts or len(header) != 1] == []
    named = [word for header, _ in seen for word in header]
    assert len(set(named)) == len(named)
    assert min(map(len, named)) >= 22  # 128 random bits
