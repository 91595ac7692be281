"""The main job end to end: a real engine, a sandbox portal, a worker, and persons who carry orders."""
