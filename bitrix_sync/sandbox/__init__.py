"""A local portal that behaves like Bitrix24 where our code touches it: for trying, for the demo and for tests.

It refuses what the official pages say the real portal refuses. It shares no code with the client that it judges.
"""

from bitrix_sync.sandbox.server import Sandbox, serve

__all__ = ["Sandbox", "serve"]
