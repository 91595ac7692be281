"""Outgoing e-mail by SMTP, fulfilling `orders.ports.Mail`; used only where `SMTP_URL` is set."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from orders.errors import Permanent, Transient

_TIMEOUT = 15.0


class SmtpMail:
    """A mail sender; the Message-ID is made from the effect's key, so that a repeat is the same message."""

    def __init__(self, url: SecretStr, sender: str | None = None) -> None:
        self._parts = urlsplit(url.get_secret_value())
        self._sender = sender or unquote(self._parts.username or "") or "order-route@localhost"

    def send(self, to: str, subject: str, text: str, key: str) -> None:
        """Send one message. Raises Permanent for an address that is none, Transient while the server is away."""
        address = parseaddr(to)[1]
        if "@" not in address or any(c in to for c in "\r\n"):
            raise Permanent("У заказчика не указан адрес почты: сообщите ему иначе")
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, address, subject
        message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@order-route>"
        message.set_content(text)
        try:
            with self._connect() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise Permanent("Почтовый сервер не принял адрес заказчика: сообщите ему иначе") from error
        except (OSError, smtplib.SMTPException) as error:
            raise Transient("Почтовый сервер недоступен") from error

    def _connect(self) -> smtplib.SMTP:
        host, port = self._parts.hostname or "localhost", self._parts.port
        if self._parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port or 465, timeout=_TIMEOUT, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(host, port or 587, timeout=_TIMEOUT)
            if server.has_extn("starttls") or (server.ehlo()[0] == 250 and server.has_extn("starttls")):
                server.starttls(context=ssl.create_default_context())
        if self._parts.username:
            server.login(unquote(self._parts.username), unquote(self._parts.password or ""))
        return server
