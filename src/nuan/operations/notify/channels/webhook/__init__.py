"""A webhook: POST of JSON, signed. `Nuan-Signature` is `t=<epoch>,v1=<HMAC-SHA256 of "t.body" by NUAN_WEBHOOK_SECRET>`.

`Idempotency-Key` stays the same in every attempt. Redirects are not followed: the body goes where it was addressed to, or nowhere.
"""

import hashlib
import hmac
import http.client
import json
import os
import ssl
import time
from urllib.parse import urlsplit

from nuan.operations.notify.channels.message import AddressError, ChannelError, Message

TIMEOUT_S = 10
PASSING = {408, 409, 425, 429}


def signature(secret: str, moment: int, body: bytes) -> str:
    """
    >>> signature("s", 1, b"{}")[:13]
    't=1,v1=b25363'
    """
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class Webhook:
    name = "webhook"
    zh = "网络回调"

    def checked_address(self, address: str) -> str:
        url = urlsplit(address.strip())
        if url.scheme not in {"http", "https"} or not url.hostname or url.username or url.fragment:
            raise AddressError(f"“{address}”不是 http(s) 地址 / no http(s) address")
        return url.geturl()

    def send(self, address: str, message: Message) -> None:
        secret = os.environ.get("NUAN_WEBHOOK_SECRET", "")
        if not secret:
            raise ChannelError("没有设置签名密钥（NUAN_WEBHOOK_SECRET） / NUAN_WEBHOOK_SECRET is not set")
        body = json.dumps({"key": message.key, **message.content}, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": message.key,
            "Nuan-Signature": signature(secret, int(time.time()), body),
        }
        try:
            status = _post(address, body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise ChannelError(f"回调地址没有应答：{type(error).__name__} / no answer") from error
        if not 200 <= status < 300:
            raise ChannelError(f"回调地址应答 {status} / answered {status}", again=status >= 500 or status in PASSING)


def _post(address: str, body: bytes, headers: dict[str, str]) -> int:
    url = urlsplit(address)
    if url.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            url.hostname or "", url.port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", (url.path or "/") + (f"?{url.query}" if url.query else ""), body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
