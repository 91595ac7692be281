"""The REST methods, one module per part of the portal; `table` brings them together."""
