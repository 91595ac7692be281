"""The composition root: settings, logs, wiring, the command line and the small web pages. Nothing imports it."""
