"""workers/handlers."""
