"""Rule: who does not know a password learns nothing and soon waits; the removed are out at once; data stay private."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator

import pytest
import requests
from gate_models import TIMEOUT, Door, door
from pydantic import SecretStr
from shop import Shop, wait_until
from test_gate_doors import Tasklist

from engine.accounts import User

pytestmark = pytest.mark.engine
TRIES = 5  # failures without a wait
SAME_WORK = 5.0  # a write into the database or a hash left out differ by more than this, a busy machine by less


@pytest.fixture
def guest(shop: Shop) -> Iterator[Door]:
    """An account of its own in a department, so that its waits are nobody else's."""
    who, password = "mxGuest", "guest-password-1"
    shop.admin.identity.create_user(User(who, "Гость", "Гостев", "guest@mebel.example"), SecretStr(password))
    shop.admin.identity.add_member("shipping", who)
    yield Door(shop.url, who, password)
    shop.admin.identity.delete_user(who)


def signs_in(shop: Shop, user: str, password: str) -> requests.Response:
    """Send the login page's own request."""
    tasklist = Tasklist(shop, "orlov")
    with tasklist.session:
        tasklist.session.get(f"{tasklist.root}/app/tasklist/default/", timeout=TIMEOUT)
        sent = {"username": user, "password": password}
        return tasklist._post("/api/admin/auth/user/default/login/tasklist", data=sent)


def seen(answer: requests.Response) -> tuple[int, bytes, set[str]]:
    """Return what a stranger can tell answers apart by; each bears its own moment."""
    return answer.status_code, re.sub(rb'"timestamp":[^,}]*', b"", answer.content), set(answer.headers)


def test_a_stranger_and_a_wrong_password_get_the_same_answer(shop: Shop, guest: Door) -> None:
    known, unknown = signs_in(shop, guest.user, "wrong"), signs_in(shop, "mxNobody", "wrong")
    assert known.status_code == 401
    assert seen(known) == seen(unknown)
    rest = [Door(shop.url, user, "wrong").call("GET", "/version") for user in (guest.user, "mxNobody")]
    assert seen(rest[0])[0] == 401
    assert seen(rest[0]) == seen(rest[1])


def test_both_cost_about_the_same_work(shop: Shop) -> None:
    """Many accounts with one wrong try each, so that no wait comes in between; compared is a ratio."""
    admin = shop.admin.identity
    known = [f"mxTimed{n}" for n in range(12)]
    for who in known:
        admin.create_user(User(who, who, "Время"), SecretStr("right-password-1"))
    try:
        took: dict[bool, list[float]] = {True: [], False: []}
        with requests.Session() as session:
            for n in range(len(known) * 2):
                exists, user = n % 2 == 0, known[n // 2] if n % 2 == 0 else f"mxNone{n}"
                began = time.perf_counter()
                assert session.get(shop.url + "/version", auth=(user, "wrong"), timeout=TIMEOUT).status_code == 401
                took[exists].append(time.perf_counter() - began)
        ratio = statistics.median(took[True]) / statistics.median(took[False])
        assert 1 / SAME_WORK < ratio < SAME_WORK
    finally:
        for who in known:
            admin.delete_user(who)


@pytest.mark.parametrize("exists", [True, False])
def test_after_a_few_failures_everybody_waits(shop: Shop, guest: Door, exists: bool) -> None:
    user = guest.user if exists else "mxNobody2"
    answers = [signs_in(shop, user, f"wrong {n}") for n in range(TRIES)]
    assert [seen(a) for a in answers] == [seen(answers[0])] * TRIES
    assert seen(signs_in(shop, user, guest.password)) == seen(answers[0]), "the right one too is not listened to"
    if exists:
        assert guest.call("GET", "/version").status_code == 401, "one wait for both doors"
        wait_until(lambda: guest.call("GET", "/version").status_code == 200, 90, "the end of the wait")
        assert signs_in(shop, user, guest.password).status_code == 200


def test_the_administrator_lifts_the_wait_by_a_new_password(shop: Shop, guest: Door) -> None:
    for n in range(TRIES + 1):
        guest_wrong = Door(shop.url, guest.user, f"wrong {n}")
        assert guest_wrong.call("GET", "/version").status_code == 401
    shop.admin.identity.set_password(guest.user, SecretStr("another-password-2"))
    assert Door(shop.url, guest.user, "another-password-2").call("GET", "/version").status_code == 200


def test_who_is_removed_is_out_at_once_in_an_open_page_too(shop: Shop) -> None:
    who = "mxLeaver"
    shop.admin.identity.create_user(User(who, "Ушедший", "Сотрудник"), SecretStr("leaver-password-1"))
    shop.admin.identity.add_member("shipping", who)
    shop_of = {**shop.passwords, who: SecretStr("leaver-password-1")}
    door_of = Door(shop.url, who, "leaver-password-1")
    tasklist = Tasklist(shop, "orlov")
    tasklist.person, tasklist.password = who, shop_of[who].get_secret_value()
    with tasklist:
        assert tasklist.call("GET", "/task?maxResults=1").status_code == 200
        assert door_of.call("GET", "/version").status_code == 200
        shop.admin.identity.delete_user(who)
        assert tasklist.call("GET", "/task?maxResults=1").status_code == 401
        assert door_of.call("GET", "/version").status_code == 401


def test_who_left_the_department_loses_its_steps_in_an_open_page(shop: Shop, guest: Door) -> None:
    order = shop.start_order()
    shop.carry_to(order, "UserTask_ApproveOrder")
    shop.admin.identity.add_member("directors", guest.user)
    tasklist = Tasklist(shop, "orlov")
    tasklist.person, tasklist.password = guest.user, guest.password
    with tasklist:
        listed = f"/task?processInstanceId={order.id}&maxResults=5"
        assert len(tasklist.call("GET", listed).json()) == 1
        shop.admin.identity.remove_member("directors", guest.user)
        assert tasklist.call("GET", listed).json() == []


PERSONAL = [
    "/user?maxResults=500",
    "/user?memberOfGroup=directors&maxResults=50",
    "/user?email=orlov@mebel.example&maxResults=5",
    "/user/count?memberOfGroup=directors",
    "/user/orlov/profile",
    "/identity/groups?userId=orlov",
    "/identity/groups?userId=pavlova",
    "/group?maxResults=50",
    "/authorization?maxResults=500",
    "/history/user-operation?maxResults=500",
    "/history/identity-link-log?maxResults=500",
]


def test_no_personal_data_of_others_by_any_list(shop: Shop) -> None:
    """Addresses of colleagues are in no answer that a person of a department gets."""
    addresses = [p.email for p in shop.staff.persons if p.email and p.id != "pavlova"]
    person = door(shop, "pavlova")
    for path in PERSONAL:
        answer = person.call("GET", path)
        assert not [address for address in addresses if address in answer.text], path
        assert "Орлов" not in answer.text, path
    assert person.call("GET", "/user/count?memberOfGroup=directors").json() == {"count": 0}


def cookies_of(shop: Shop, proto: str) -> dict[str, set[str]]:
    """Return the cookies that a page sets, with their attributes, as a proxy in front asks for it."""
    page = shop.url.removesuffix("/engine-rest") + "/operaton/app/tasklist/default/"
    answer = requests.get(page, headers={"X-Forwarded-Proto": proto}, timeout=TIMEOUT)
    lines = [re.split("; ?", line) for line in answer.raw.headers.getlist("Set-Cookie")]
    return {line[0].partition("=")[0]: set(line[1:]) for line in lines}


def test_behind_a_proxy_with_tls_all_cookies_are_secure(shop: Shop) -> None:
    """Only what the proxy says makes it so: without TLS in front the login would not work with such cookies."""
    behind, plain = cookies_of(shop, "https"), cookies_of(shop, "http")
    assert len(behind) == 3 and behind.keys() == plain.keys()
    assert all({"Secure", "SameSite=Lax"} <= attributes for attributes in behind.values()), behind
    assert not any("Secure" in attributes for attributes in plain.values()), plain
    assert any("HttpOnly" in attributes for name, attributes in behind.items() if name.startswith("JSESSIONID"))


def test_a_header_that_a_firewall_took_away_is_named(shop: Shop) -> None:
    """F-17: the refusal says which header is missing, in the words of whoever has to mend it."""
    with Tasklist(shop, "orlov") as tasklist:
        url = f"{tasklist.root}/api/engine/engine/default/task/count"
        bare = tasklist.session.post(url, json={}, timeout=TIMEOUT)
        assert (bare.status_code, "X-XSRF-TOKEN" in bare.json()["message"]) == (403, True)
        assert tasklist.call("POST", "/task/count", {}).status_code == 200
