"""The edge to Bitrix24: client, portal set-up, the card that should be, and the repair of the card that is.

Nothing is imported here, so that the sandbox can run without the rest.
"""
