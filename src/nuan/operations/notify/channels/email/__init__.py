"""E-mail by SMTP. `NUAN_SMTP` names the server: smtp://user:password@host:587 (STARTTLS when the server offers it) or smtps://host:465."""

import os
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from nuan.operations.notify.channels.message import AddressError, ChannelError, Message

TIMEOUT_S = 15
LOCAL = {"localhost", "127.0.0.1", "::1"}


class Email:
    name = "email"
    zh = "电子邮件"

    def checked_address(self, address: str) -> str:
        text = address.strip()
        try:
            parsed = Address(addr_spec=text)
        except Exception as error:  # the parser of the standard library raises many kinds
            raise AddressError(f"“{text}”不是电子邮件地址 / no e-mail address") from error
        if "." not in parsed.domain or not text.isascii():
            raise AddressError(f"“{text}”不是电子邮件地址 / no e-mail address")
        return text

    def send(self, address: str, message: Message) -> None:
        server = os.environ.get("NUAN_SMTP", "")
        if not server:
            raise ChannelError("没有设置邮件服务器（NUAN_SMTP） / NUAN_SMTP is not set")
        mail = EmailMessage()
        mail["Subject"], mail["To"] = message.subject, address
        mail["From"] = os.environ.get("NUAN_SMTP_FROM", "nuan@localhost")
        mail["Message-ID"] = f"<{message.key}@nuan>"
        mail.set_content(message.text)
        try:
            _hand_over(server, mail)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise ChannelError(f"收件人被拒绝（{code}） / recipient refused", again=code < 500) from error
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelError(f"邮件没有发出：{type(error).__name__} / mail was not sent") from error


def _hand_over(server: str, mail: EmailMessage) -> None:
    url = urlsplit(server)
    host, secure = url.hostname or "localhost", url.scheme == "smtps"
    trust = ssl.create_default_context()
    opened = (
        smtplib.SMTP_SSL(host, url.port or 465, timeout=TIMEOUT_S, context=trust)
        if secure
        else smtplib.SMTP(host, url.port or 25, timeout=TIMEOUT_S)
    )
    with opened as smtp:
        smtp.ehlo_or_helo_if_needed()
        if not secure and smtp.has_extn("starttls"):
            smtp.starttls(context=trust)
            secure = True
        if url.username and not secure and host not in LOCAL:
            raise ChannelError(
                "邮件服务器没有加密，不会把口令发给它 / no encryption: the password is not sent", again=False
            )
        if url.username:
            smtp.login(unquote(url.username), unquote(url.password or ""))
        smtp.send_message(mail)
