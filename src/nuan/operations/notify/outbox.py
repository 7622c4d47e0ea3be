"""Sending what stands in the outbox. A worker claims a notice by moving its next try into the future and commits that before it sends:
several workers never send one notice at once, and a worker that dies leaves its notice to be sent again. At least once, with one key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from nuan.operations.acts import act
from nuan.operations.notify.channels import CHANNELS, Channel, ChannelError, Message
from nuan.records.monitoring.models import Notice

CLAIM: Final = timedelta(seconds=90)
"""Longer than any channel's time-outs together."""
BACK_OFF_S: Final = (30, 60, 300, 900, 3600, 3600, 3600)
MOST_ATTEMPTS: Final = len(BACK_OFF_S) + 1
"""运行参数: after so many attempts, about three and a half hours, a notice is dead, and stands in red on the page of notices."""
_CLAIM = """
UPDATE monitoring_notice SET next_try_at = %(until)s, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM monitoring_notice WHERE state = 'pending' AND next_try_at <= %(now)s
    ORDER BY next_try_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED
) RETURNING id, key, channel, address, content, attempts
"""


@dataclass
class Delivery:
    sent: int = 0
    failed: int = 0
    dead: int = 0

    @property
    def idle(self) -> bool:
        return self.sent + self.failed + self.dead == 0


def deliver(now: datetime, *, most: int = 20, channels: Mapping[str, Channel] = CHANNELS) -> Delivery:
    """Claim what is due, one by one, and send it; not inside a transaction. A channel that fails keeps no other from sending."""
    done = Delivery()
    for _ in range(most):
        claimed = _claim(now)
        if claimed is None:
            break
        _send(claimed, now, channels, done)
    return done


def _claim(now: datetime) -> Notice | None:
    with transaction.atomic(durable=not connection.in_atomic_block):
        found = list(Notice.objects.raw(_CLAIM, {"now": now, "until": now + CLAIM, "most": 1}))
    return found[0] if found else None


def _send(notice: Notice, now: datetime, channels: Mapping[str, Channel], done: Delivery) -> None:
    rows = Notice.objects.filter(pk=notice.pk, state=Notice.State.PENDING)
    try:
        channel = channels.get(notice.channel)
        if channel is None:
            raise ChannelError(f"没有“{notice.channel}”这种渠道 / no such channel", again=False)
        channel.send(notice.address, Message(notice.key, notice.content))
    except ChannelError as error:
        if not error.again or notice.attempts >= MOST_ATTEMPTS:
            rows.update(state=Notice.State.DEAD, error=str(error))
            done.dead += 1
        else:
            wait = BACK_OFF_S[min(notice.attempts, len(BACK_OFF_S)) - 1]
            rows.update(error=str(error), next_try_at=now + timedelta(seconds=wait))
            done.failed += 1
    else:
        rows.update(state=Notice.State.SENT, sent_at=now, error="")
        done.sent += 1


def retry_notice(notice: int, *, actor: str, now: datetime) -> bool:
    """Give a dead notice a new life of attempts; False where it is not dead."""
    with act("retry_notice", actor=actor, subject=str(notice)) as row:
        revived = Notice.objects.filter(pk=notice, state=Notice.State.DEAD).update(
            state=Notice.State.PENDING, attempts=0, next_try_at=now, error=""
        )
        row.nothing_changed = not revived
    return bool(revived)
