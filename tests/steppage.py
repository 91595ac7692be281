"""The step page served beside a real engine and a portal of its own, and persons who sign in to it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
from chain import Chain, free_port
from portal import wait_until
from shop import Shop

from app.door.step import add_step_page
from app.web import Site, public_site, serve
from orders.persons import Person

FRAGMENT = re.compile(r"\[URL=(\S+?)#in=([^\]]+)\]")
MARK = re.compile(r'name="mark" value="(\w+)"')


class StepPages:
    """The public site of one chain."""

    def __init__(self, chain: Chain, port: int) -> None:
        self.chain, self.shop = chain, chain.shop
        self.url = f"http://127.0.0.1:{port}"
        door = chain.parts.step_door()
        assert door is not None, "the step page is set up"
        self.door = door
        self.site: Site = serve(public_site(list, lambda s: add_step_page(s, door)), f"127.0.0.1:{port}", "test")

    def place(self, visit: str) -> str:
        """Return the address of a step."""
        return f"{self.url}/do/{visit}"

    def letters(self, person: Person) -> list[str]:
        """Return the notices with sign-in links that a person got."""
        assert person.bitrix_id is not None
        return [text for text in self.chain.portal.notices_of(person.bitrix_id) if "#in=" in text]

    def link(self, visit: str, person: Person) -> tuple[str, str]:
        """Ask for a link as a person and return (address, secret) out of the portal's notice."""
        before = len(self.letters(person))
        assert requests.post(f"{self.place(visit)}/sign-in", data={"name": person.name}, timeout=30).ok
        text = wait_until("the link in the portal", lambda: self.letters(person)[before:], 20)[0]
        found = FRAGMENT.search(text)
        assert found, text
        return found[1], found[2]

    def signed_in(self, visit: str, person: Person, **form: str) -> requests.Session:
        """Return a browser's session of a person who used the link."""
        place, secret = self.link(visit, person)
        session = requests.Session()
        answer = session.post(f"{place}/sign-in", data={"token": secret, **form}, timeout=30, allow_redirects=False)
        assert answer.status_code == 303, answer.text
        return session

    def mark(self, session: requests.Session, visit: str) -> str:
        """Return the mark of the form."""
        found = MARK.search(session.get(self.place(visit), timeout=30).text)
        return found[1] if found else ""

    def answer(
        self, session: requests.Session, visit: str, form: Mapping[str, str], files: Any = None, **headers: str
    ) -> requests.Response:
        """Send an answer as the form does."""
        data = {"mark": self.mark(session, visit), **form}
        place = self.place(visit)
        return session.post(place, data=data, files=files, headers=headers, timeout=120, allow_redirects=False)

    def close(self) -> None:
        """Stop serving."""
        self.site.close()


@contextlib.contextmanager
def open_step_pages(shop: Shop, folder: Path, **settings: object) -> Iterator[StepPages]:
    """Serve the page beside a portal of its own; no worker runs."""
    port = free_port()
    chain = Chain(shop, folder, public_url=f"http://127.0.0.1:{port}", **settings)
    try:
        pages = StepPages(chain, port)
        try:
            yield pages
        finally:
            pages.close()
    finally:
        chain.close()
