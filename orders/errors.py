"""What can go wrong with an order, as the edges and the handlers say it.

::

    OrderRouteError
    ├── BusinessError          an obstacle that the diagram knows: a BPMN error with this code
    ├── Transient              try again later; may carry the wait that the other side asked for
    │   └── PortalUnavailable  the portal did not answer or is throttled: nothing is wrong with the order
    ├── Permanent              no retry can help: a person has to look (incident at once)
    └── Refused                a person's answer was refused, in one plain Russian sentence; nothing changed
"""

from __future__ import annotations


class OrderRouteError(Exception):
    """Root of every error this project raises on purpose."""


class BusinessError(OrderRouteError):
    """An obstacle that the deployed diagram catches by its code (UPPER_SNAKE).

    `outputs` are sent with the BPMN error, so that the step which catches it can say why.
    """

    def __init__(self, code: str, message: str, outputs: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.outputs = outputs or {}


class Transient(OrderRouteError):
    """It may work later. `retry_after` is the wait in seconds that the other side asked for, if any."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PortalUnavailable(Transient):
    """The portal is away, throttled or refuses every call; no order is to blame."""


class Permanent(OrderRouteError):
    """No retry can help: the message names the thing and the remedy, a person decides."""


class Refused(OrderRouteError):
    """A person's answer was refused; the message is one plain Russian sentence and nothing has changed."""
