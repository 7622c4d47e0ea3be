"""Money that a channel's own file says it gave back, and that nobody here sent. Guards: migration 0021."""

from django.db import models


class ChannelRefund(models.Model):
    """平台退款: a refund or revocation made at the merchant platform, or the fee that a platform gave back with a refund of ours.

    What the file says stays. It is booked once, when one person has proposed it and another approved exactly `content_hash`.
    """

    class Kind(models.TextChoices):
        REFUND = "refund", "平台上退款"
        REVOKED = "revoked", "撤销收款"
        FEE = "fee", "退回手续费"

    class State(models.TextChoices):
        FOUND = "found", "未入账"
        PROPOSED = "proposed", "待审批"
        BOOKED = "booked", "已入账"

    id = models.BigAutoField(primary_key=True)
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="+")
    channel = models.CharField(max_length=24)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    txn_id = models.CharField(max_length=80, help_text="the channel's number of the refund")
    of_txn = models.CharField(max_length=80, help_text="the channel's number of the receipt")
    payment = models.ForeignKey(
        "billing.Payment",
        models.PROTECT,
        null=True,
        related_name="channel_refunds",
        help_text="null = not taken in yet",
    )
    amount_fen = models.BigIntegerField()
    fee_fen = models.BigIntegerField(
        default=0, help_text="given back by the channel; negative where the refund cost one"
    )
    happened_at = models.DateTimeField()
    channel_state = models.CharField(max_length=24, blank=True, help_text="as the file says; it is never updated there")
    file = models.ForeignKey("billing.PaymentFile", models.PROTECT, related_name="channel_refunds")
    row = models.IntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.FOUND)
    content_hash = models.CharField(max_length=64, blank=True)
    why = models.CharField(max_length=200, blank=True)
    proposed_by = models.CharField(max_length=120, blank=True)
    answer = models.CharField(max_length=200, blank=True, help_text="why it was not agreed to")
    entry = models.OneToOneField("billing.Entry", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "channel", "txn_id"], name="channel_refund_once"),
            models.CheckConstraint(
                condition=models.Q(kind="fee", amount_fen=0) & ~models.Q(fee_fen=0)
                | ~models.Q(kind="fee") & models.Q(amount_fen__gt=0),
                name="channel_refund_is_something",
            ),
        ]
        indexes = [models.Index(fields=["company", "state"], name="channel_refund_by_state")]

    @property
    def subject(self) -> str:
        return f"channel_refund:{self.pk}"
