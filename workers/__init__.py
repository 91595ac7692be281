"""The worker: fetches external tasks, runs one small handler per topic, and answers the engine.

`registry` declares handlers, `runtime` runs them, `failures` holds the one failure table.
"""
