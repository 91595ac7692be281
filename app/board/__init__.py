"""The board: pages for staff on `BOARD_LISTEN`, drawn on the server, for a phone and for a screen on the wall."""
