"""Logs of every program; the worker's own module, so that a worker needs nothing of `app`."""

from workers.logs import configure, mask, redact

__all__ = ["configure", "mask", "redact"]
