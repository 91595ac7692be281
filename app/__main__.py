"""`python -m app` is `order-route`."""

from app.cli import main

main()
