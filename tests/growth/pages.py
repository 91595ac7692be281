"""What the engine's pages ask when a person opens them: through the pages' own door, signed in as that person."""

from __future__ import annotations

from typing import Any

import requests
from pagetoken import page_headers
from shop import Shop

from engine.rights import ROUTE

_TIMEOUT = 300.0
_SHOWN = ["customerName", "itemDescription", "estimateSum", "readyBy", "cardStage"]
_ENDS = [f"End_{end}" for end in ("Delivered", "RefusedByDirector", "PriceRejected", "Cancelled", "Duplicate")]


class Page:
    """One person signed in to one of the applications (`tasklist`, `cockpit`)."""

    def __init__(self, shop: Shop, app: str, person: str) -> None:
        self._root = shop.url.removesuffix("/engine-rest") + "/operaton"
        self._session = requests.Session()
        self._session.get(f"{self._root}/app/{app}/default/", timeout=_TIMEOUT)
        login = {"username": person, "password": shop.passwords[person].get_secret_value()}
        self._post(f"/api/admin/auth/user/default/login/{app}", {}, data=login)
        address = f"{self._root}/api/engine/engine/default/task/count"
        self._session.get(address, timeout=_TIMEOUT)  # the new session's token comes with its first answer

    def tasks(self, group: str) -> None:
        """Ask for the first page of a department's tasks, and for their number."""
        mine = {"candidateGroup": group, "includeAssignedTasks": True}
        newest = {**mine, "sorting": [{"sortBy": "created", "sortOrder": "desc"}]}
        assert self._search("/task", newest, maxResults=15)
        assert self._search("/task/count", mine)["count"]

    def orders(self) -> None:
        """Ask for the first page of «Заказы»."""
        orders = {"processDefinitionKey": ROUTE, "sorting": [{"sortBy": "startTime", "sortOrder": "desc"}]}
        found = self._search("/history/process-instance", orders, maxResults=25)
        assert self._search("/history/process-instance/count", orders)["count"]
        ids = [order["id"] for order in found]
        shown = {"processInstanceIdIn": ids, "variableNameIn": _SHOWN}
        assert self._search("/history/variable-instance", shown, deserializeValues="false", maxResults=2000)
        for end in _ENDS:
            reached = {"processInstanceIds": ids, "executedActivityIdIn": [end]}
            self._search("/history/process-instance", reached, maxResults=25)

    def _search(self, path: str, query: dict[str, Any], **params: Any) -> Any:
        return self._post(f"/api/engine/engine/default{path}", params, json=query).json()

    def _post(self, path: str, params: dict[str, Any], **more: Any) -> requests.Response:
        token = page_headers(self._session)
        answer = self._session.post(self._root + path, params=params, headers=token, timeout=_TIMEOUT, **more)
        answer.raise_for_status()
        return answer
