"""Gateways: opened, given a new token, closed. A token is shown once; kept are its SHA-256 and the form that a broker checks."""

import base64
import hashlib
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db.models import F

from nuan.operations.acts import act
from nuan.records.devices.models import CODE, DirectoryEdition, Gateway
from nuan.records.registry.models import Company
from nuan.telemetry.intake.directory import digest_of

GRACE = timedelta(hours=24)
"""After a rotation the old token opens so long, over HTTP; a broker's password file knows only the new one."""
BROKER_ROUNDS = 101


class GatewayError(ValueError):
    """What cannot be done with a gateway, in one sentence."""


@dataclass(frozen=True)
class NewToken:
    """The gateway and the text of its token, which nobody can read again."""

    gateway: Gateway
    token: str


def turn_the_page() -> None:
    """Count the directory's edition up, inside the transaction of the change, so that the intake reads it again."""
    if not DirectoryEdition.objects.filter(pk=1).update(number=F("number") + 1):
        DirectoryEdition.objects.create(pk=1)


def broker_hash(token: str, salt: bytes | None = None) -> str:
    """The token as Mosquitto's password file wants it: PBKDF2 with SHA-512, `$7$rounds$salt$hash` (mosquitto_passwd, type 7)."""
    salt = os.urandom(12) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", token.encode(), salt, BROKER_ROUNDS)
    return f"$7${BROKER_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def register_gateway(
    *,
    code: str,
    company: str,
    protocol: str,
    now: datetime,
    actor: str,
    name: str = "",
    device_tag: str = "device",
    timezone: str = "Asia/Shanghai",
    max_readings_per_s: int = 5_000,
    max_series: int = 100_000,
    token: str | None = None,
) -> NewToken:
    """Open a gateway. `token` is given only where the other side already has one (a moved broker); else it is made here."""
    if protocol not in Gateway.Protocol.values:
        raise GatewayError(f"没有“{protocol}”这种接入方式；可用：{'、'.join(Gateway.Protocol.values)}")
    if not Company.objects.filter(pk=company).exists():
        raise GatewayError(f"没有代码为“{company}”的供热企业")
    if timezone not in available_timezones():
        raise GatewayError(f"没有“{timezone}”这个时区；例如 Asia/Shanghai")
    if min(max_readings_per_s, max_series) < 1:
        raise GatewayError("上限至少为 1")
    try:
        CODE(code)
    except ValidationError:
        raise GatewayError(f"“{code}”不能作网关代码：只用字母、数字和 _ . -，最多 40 个字符") from None
    if Gateway.objects.filter(pk=code).exists():
        raise GatewayError(f"网关代码“{code}”已经用过；代码不重复使用")
    text = token or Gateway.new_token()
    with act("register_gateway", actor=actor, subject=code) as row:
        gateway = Gateway.objects.create(
            code=code, name=name or code, company_id=company, protocol=protocol, digest=digest_of(text),
            broker_hash=broker_hash(text), device_tag=device_tag, timezone=timezone, max_readings_per_s=max_readings_per_s,
            max_series=max_series, opened_at=now,
        )  # fmt: skip
        row.details = {"company": company, "protocol": protocol}
        turn_the_page()
    return NewToken(gateway, text)


def rotate_gateway(code: str, *, now: datetime, actor: str, why: str = "", at_once: bool = False) -> NewToken:
    """A new token; the old one opens for another day over HTTP, unless it was lost (`at_once`)."""
    text = Gateway.new_token()
    with act("rotate_gateway", actor=actor, subject=code, why=why) as row:
        gateway = _open(code)
        gateway.previous_digest, gateway.previous_until = ("", None) if at_once else (gateway.digest, now + GRACE)
        gateway.digest, gateway.broker_hash = digest_of(text), broker_hash(text)
        gateway.save(update_fields=["digest", "broker_hash", "previous_digest", "previous_until"])
        row.details = {"at_once": at_once}
        turn_the_page()
    return NewToken(gateway, text)


def close_gateway(code: str, *, now: datetime, actor: str, why: str) -> Gateway:
    """From now on it opens nothing. Its devices and what they sent stay; they may be moved behind another gateway."""
    if not why.strip():
        raise GatewayError("请写明停用的原因")
    with act("close_gateway", actor=actor, subject=code, why=why):
        gateway = _open(code)
        gateway.closed_at, gateway.closed_why = now, why[:200]
        gateway.previous_digest, gateway.previous_until = "", None
        gateway.save(update_fields=["closed_at", "closed_why", "previous_digest", "previous_until"])
        turn_the_page()
    return gateway


def _open(code: str) -> Gateway:
    gateway = Gateway.objects.select_for_update().filter(pk=code).first()
    if gateway is None:
        raise GatewayError(f"没有代码为“{code}”的网关")
    if gateway.closed_at is not None:
        raise GatewayError(f"网关“{code}”已停用；请新开一个")
    return gateway
