"""Reports from the engine's history: a local store of it, KPI, and what people read."""
