"""Rule: the Tasklist speaks the plant's language whatever the browser's is, and no label of it is left in English."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests
from shop import Shop

pytestmark = pytest.mark.engine
SAME_IN_BOTH = {"NO_TASK_FORM", *(f"SEARCH_{sign}" for sign in ("LESS_THAN", "GREATER_THAN"))}
SAME_IN_BOTH |= {f"{label}_EQUALS" for label in SAME_IN_BOTH if label.startswith("SEARCH")}


def served(shop: Shop, path: str) -> requests.Response:
    answer = requests.get(shop.url.removesuffix("/engine-rest") + "/operaton/app/tasklist/" + path, timeout=30)
    assert answer.status_code == 200, path
    return answer


def locale(shop: Shop, language: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(served(shop, f"locales/{language}.json").content.decode("utf-8-sig"))
    return loaded


def test_every_label_is_translated(shop: Shop) -> None:
    english, russian = locale(shop, "en"), locale(shop, "ru")
    assert set(russian["labels"]) == set(english["labels"])
    assert set(russian["dateLocales"]) == set(english["dateLocales"])
    words = {name: re.sub(r"\{\{.*?\}\}|<.*?>|&\w+;", "", text) for name, text in russian["labels"].items()}
    latin = [name for name, text in words.items() if re.search("[A-Za-z]{4,}", text)]
    same = {name for name, text in russian["labels"].items() if text == english["labels"][name]}
    assert (latin, same) == ([], SAME_IN_BOTH)


def test_what_is_filled_in_stays(shop: Shop) -> None:
    english, russian = locale(shop, "en")["labels"], locale(shop, "ru")["labels"]
    holes = re.compile(r"\{\{\s*(\w+)\s*\}\}")
    differing = [name for name in english if set(holes.findall(english[name])) != set(holes.findall(russian[name]))]
    assert differing == []


def test_only_the_plants_language_is_offered(shop: Shop) -> None:
    answer = served(shop, "scripts/config.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "availableLocales: ['ru']" in answer.text
    assert "fallbackLocale: 'ru'" in answer.text
