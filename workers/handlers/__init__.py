"""One small handler per topic, by phase of an order. What they decide stands in `orders/`."""

from workers.handlers.adjustment import adjust_bonus
from workers.handlers.control import send_digest
from workers.handlers.delivery import close_order, notify_customer
from workers.handlers.intake import register_order, validate_attachments
from workers.handlers.production import flag_late_production, reconcile_portal
from workers.handlers.route import notify, sync_stage
from workers.handlers.support import (
    cancel_order,
    correct_order,
    move_ready_date,
    record_actual_cost,
    record_complaint,
)
from workers.registry import Registry

HANDLERS = (
    register_order,
    validate_attachments,
    sync_stage,
    notify,
    flag_late_production,
    reconcile_portal,
    notify_customer,
    close_order,
    cancel_order,
    move_ready_date,
    correct_order,
    record_complaint,
    record_actual_cost,
    send_digest,
    adjust_bonus,
)


def registry() -> Registry:
    """Return all handlers of the route and its support processes."""
    return Registry(HANDLERS)
