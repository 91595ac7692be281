"""Rule: the engine's pages speak the plant's language whatever the browser's is: the Tasklist with every label, Cockpit
with those of its frame."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests
from shop import ROOT, Shop

pytestmark = pytest.mark.engine
SAME_IN_BOTH = {"NO_TASK_FORM", *(f"SEARCH_{sign}" for sign in ("LESS_THAN", "GREATER_THAN"))}
SAME_IN_BOTH |= {f"{label}_EQUALS" for label in SAME_IN_BOTH if label.startswith("SEARCH")}


def served(shop: Shop, path: str, app: str = "tasklist") -> requests.Response:
    answer = requests.get(shop.url.removesuffix("/engine-rest") + f"/operaton/app/{app}/{path}", timeout=30)
    assert answer.status_code == 200, path
    return answer


def locale(shop: Shop, language: str, app: str = "tasklist") -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(served(shop, f"locales/{language}.json", app).content.decode("utf-8-sig"))
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


def test_cockpits_frame_is_translated_and_every_label_is_there(shop: Shop) -> None:
    """Its pages for single processes keep the engine's words; what is ours to say names only labels that it has."""
    english, russian = (locale(shop, language, "cockpit") for language in ("en", "ru"))
    assert set(russian["labels"]) == set(english["labels"])
    own = json.loads((ROOT / "server/src/main/resources/cockpit-ru.json").read_text(encoding="utf-8"))
    assert own.items() <= russian["labels"].items()
    frame = {n: t for n, t in russian["labels"].items() if n.startswith(("COCKPIT_", "DASHBOARD_", "AUTH_", "SIGN_"))}
    assert len(frame) > 40
    assert [name for name, text in frame.items() if not re.search("[а-яё]", text)] == []
    assert russian["dateLocales"]["months"][0] == locale(shop, "ru")["dateLocales"]["months"][0]


@pytest.mark.parametrize("app", ["tasklist", "cockpit"])
def test_only_the_plants_language_is_offered(shop: Shop, app: str) -> None:
    answer = served(shop, "scripts/config.js", app)
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "availableLocales: ['ru']" in answer.text
    assert "fallbackLocale: 'ru'" in answer.text
