"""The BPMN file: read its stages, check it, draw it."""
