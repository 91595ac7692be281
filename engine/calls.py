"""What every subject of the client shares: one caller that sends pycamunda's request objects and plain REST calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pycamunda
import pycamunda.base
import pycamunda.request
from pycamunda.base import CamundaRequest, RequestMethod

from engine.errors import from_pycamunda
from engine.rest import Response, Transport

PAGE, LONG_PAGE = 1000, 2000  # rows a page; the engine refuses more than its queryMaxResultsLimit (2000)

Row = dict[str, Any]


class Caller:
    """Sends calls as one account, on behalf of one person where that is set."""

    def __init__(self, transport: Transport, on_behalf_of: str | None = None) -> None:
        self.transport = transport
        self.on_behalf_of = on_behalf_of

    @property
    def url(self) -> str:
        """Return the base URL that pycamunda's request objects take."""
        return self.transport.base_url

    def build(self, kind: Any, **arguments: Any) -> Any:
        """Make a request object of pycamunda; wrong arguments raise BadRequest."""
        try:
            return kind(url=self.url, **arguments)
        except (pycamunda.PyCamundaException, pycamunda.request.InvalidInput) as error:
            raise from_pycamunda(error) from error

    def send(
        self, request: CamundaRequest, method: str, *, timeout: float | None = None, once: bool = False
    ) -> Response:
        """Send a request object of pycamunda over our session and return the raw answer.

        The base class sends it: the subclasses' own `__call__` drop fields that the engine sent (createTime), ask a
        second time for error details without the account, or leave the session out (Count, deployment).
        """
        request.session = self.transport.session(on_behalf_of=self.on_behalf_of, timeout=timeout, once=once)
        try:
            answer = CamundaRequest.__call__(request, RequestMethod(method))
        except (pycamunda.PyCamundaException, pycamunda.request.InvalidInput) as error:
            raise from_pycamunda(error) from error
        return cast(Response, answer)  # what our session returned; the library's annotation says requests.Response

    def rest(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        timeout: float | None = None,
        once: bool = False,
    ) -> Response:
        """Call a resource that pycamunda lacks. `path` starts with a slash and its ids are quoted already."""
        session = self.transport.session(on_behalf_of=self.on_behalf_of, timeout=timeout, once=once)
        return session.request(method, self.url + path, params=params, json=body)

    def query(self, kind: Any, **query: Any) -> list[Row]:
        """Read a whole list through a request class of pycamunda, page by page.

        The engine refuses a query without `maxResults` ("An unbound number of results is forbidden!").
        """
        found: list[Row] = []
        while True:
            request = self.build(kind, **{**query, "first_result": len(found), "max_results": PAGE})
            page = self.send(request, "GET").json()
            found += page
            if len(page) < PAGE:
                return found

    def rows(self, path: str, params: Mapping[str, Any], *, sort: str | None) -> Iterator[Row]:
        """Read a list page by page, ascending by `sort`, so that rows neither repeat nor fall out."""
        first = 0
        order = {"sortBy": sort, "sortOrder": "asc"} if sort else {}
        while True:
            paging = {**order, "firstResult": first, "maxResults": PAGE}
            answer = self.rest("GET", path, params={**params, **paging}).json()
            yield from answer
            if len(answer) < PAGE:
                return
            first += PAGE

    def search(self, path: str, query: Mapping[str, Any], **params: Any) -> Iterator[Row]:
        """Read a list by conditions too long for an address, page by page, in the engine's own order: by row id."""
        first = 0
        while True:
            paging = {"firstResult": first, "maxResults": LONG_PAGE}
            page = self.rest("POST", path, params={**params, **paging}, body=dict(query)).json()
            yield from page
            if len(page) < LONG_PAGE:
                return
            first += LONG_PAGE
