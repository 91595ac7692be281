"""Who is at the step page: sign-in links that work once, the session's cookie, and marks against forged posts.

Everything is signed with a key drawn from the integration account's password, so every process of a shop agrees and a
changed password ends all sessions. Nothing is kept but the numbers of used links.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import SecretStr

from ledger import Ledger
from orders.persons import Person, Staff

COOKIE = "order_route_step"
LINK_SECONDS = 15 * 60
LONG_SECONDS, SHARED_SECONDS = 30 * 24 * 3600, 15 * 60  # an own device; one that others use too
LINKS_AN_HOUR = 3  # for one person
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Session:
    """A person who signed in on this device."""

    person: Person
    shared: bool

    @property
    def seconds(self) -> int:
        """Return how long the cookie lives."""
        return SHARED_SECONDS if self.shared else LONG_SECONDS


class Sessions:
    """Makes and reads links and cookies. `staff` gives the present staff: whoever left it has no session."""

    def __init__(self, secret: SecretStr, ledger: Ledger, staff: Callable[[], Staff]) -> None:
        self._key = hmac.digest(secret.get_secret_value().encode(), b"order-route step page", "sha256")
        self._links = URLSafeTimedSerializer(self._key, salt="link", signer_kwargs={"digest_method": hashlib.sha256})
        self._cookies = URLSafeTimedSerializer(
            self._key, salt="cookie", signer_kwargs={"digest_method": hashlib.sha256}
        )
        self._ledger, self._staff = ledger, staff

    # links

    def link_key(self, person: str) -> str | None:
        """Return a fresh number for a link to that person, None where they had enough within the hour."""
        sent, _ = self._ledger.recent(f"tell:{_link_prefix(person)}", HOUR)
        return f"{_link_prefix(person)}{secrets.token_hex(8)}" if sent < LINKS_AN_HOUR else None

    def link_token(self, person: str, key: str) -> str:
        """Return the secret part of a link."""
        return str(self._links.dumps([person, key]))

    def use_link(self, token: str) -> Person | None:
        """Return whose link this is, once and within its time; None for any other."""
        try:
            person, key = self._links.loads(token, max_age=LINK_SECONDS)
        except (BadData, ValueError, TypeError):
            return None
        found = self._staff().find(str(person))
        if found is None or self._ledger.intend(f"used:{key}").state != "new":
            return None
        self._ledger.done(f"used:{key}")
        return found

    # cookies

    def cookie(self, session: Session) -> str:
        """Return the cookie's value."""
        return str(self._cookies.dumps([session.person.id, int(session.shared)]))

    def read(self, value: str | None) -> Session | None:
        """Return whose cookie this is, None for none, a forged or an old one, and for who left the staff file."""
        try:
            person, shared = self._cookies.loads(value or "", max_age=LONG_SECONDS)
            if shared:
                self._cookies.loads(value or "", max_age=SHARED_SECONDS)
        except (BadData, ValueError, TypeError):
            return None
        found = self._staff().find(str(person))
        return Session(found, bool(shared)) if found else None

    def read_header(self, header: str) -> Session | None:
        """Do the same for a whole Cookie header."""
        try:
            morsel = SimpleCookie(header).get(COOKIE)
        except CookieError:
            return None
        return self.read(morsel.value if morsel else None)

    # marks of our own forms

    def mark(self, session: Session, place: str) -> str:
        """Return what a form of ours carries: bound to the person and the step, not to one sign-in."""
        return hmac.new(self._key, f"{session.person.id}|{place}".encode(), "sha256").hexdigest()

    def marked(self, session: Session, place: str, given: Any) -> bool:
        """Tell whether a post comes from a form of ours."""
        return hmac.compare_digest(self.mark(session, place).encode(), str(given or "").encode())


def find_person(staff: Staff, typed: str) -> Person | None:
    """Return whom a typed name means: all words of the name in any order, or a surname that only one bears."""
    words, text = _words(typed), typed.strip().casefold()
    if not words:
        return None
    whole = [p for p in staff.persons if words == _words(p.name) or text in (p.email.casefold(), p.id.casefold())]
    surname = [p for p in staff.persons if len(words) == 1 and words <= _words(p.name)]
    found = whole or surname
    return found[0] if len(found) == 1 else None


def _words(text: str) -> frozenset[str]:
    return frozenset(text.casefold().replace("ё", "е").split())


def _link_prefix(person: str) -> str:
    return f"sign-in:{person}:"
