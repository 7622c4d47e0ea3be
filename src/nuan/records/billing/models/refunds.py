"""Money that goes back: refunds of judgements, four eyes over them, their way to the home. Guards: migration 0012.

An item says what a judgement is worth now (`target_fen`), what stood before (`before_fen`) and the difference. Items of one home,
clause, season and thing judged form a chain: each follows exactly one, the first follows none. Two batches that were made at the
same moment cannot both extend it, so no judgement is paid twice.
"""

from django.db import models


class RefundBatch(models.Model):
    """退费批次 of one company and season. `content_hash` is over all its items; approval is asked for under that hash."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "待审批"
        POSTED = "posted", "已入账"
        REJECTED = "rejected", "已退回"

    id = models.BigAutoField(primary_key=True)
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="refund_batches")
    season = models.CharField(max_length=9)
    clause = models.CharField(max_length=12, blank=True, help_text="empty = all clauses that refund")
    state = models.CharField(max_length=8, choices=State.choices, default=State.PROPOSED)
    content_hash = models.CharField(max_length=64)
    items_count = models.IntegerField()
    homes_count = models.IntegerField()
    amount_fen = models.BigIntegerField()
    blocked = models.JSONField(default=list, help_text="what was judged but may not be paid, by reason")
    set_off = models.JSONField(
        default=dict, db_default={}, help_text="fen by home code, taken from what the home was refunded too much"
    )
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    posted_at = models.DateTimeField(null=True)
    posted_on = models.DateField(null=True)

    @property
    def subject(self) -> str:
        return f"refund_batch:{self.pk}"


class RefundItem(models.Model):
    """One judgement of one home in a batch. Negative: the judgement was withdrawn or is worth less now."""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(RefundBatch, models.PROTECT, related_name="items")
    home = models.ForeignKey("registry.Home", models.PROTECT, related_name="refund_items")
    clause = models.CharField(max_length=12)
    season = models.CharField(max_length=9)
    item = models.CharField(max_length=60, blank=True)
    judgement_id = models.BigIntegerField(null=True, help_text="null = none stands any more")
    digest = models.CharField(max_length=64, blank=True, help_text="of the judgement's result")
    before_fen = models.BigIntegerField()
    target_fen = models.BigIntegerField()
    amount_fen = models.BigIntegerField()
    after = models.ForeignKey("self", models.PROTECT, null=True, related_name="followed_by")
    evidence = models.JSONField(default=dict, help_text="pack and version, period, facts of the judgement")
    withdrawn = models.BooleanField(default=False, db_default=False, help_text="its batch was sent back")
    entry = models.OneToOneField("billing.Entry", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount_fen=models.F("target_fen") - models.F("before_fen")) & ~models.Q(amount_fen=0),
                name="refund_is_the_difference",
            ),
            models.CheckConstraint(condition=models.Q(target_fen__gte=0, before_fen__gte=0), name="refund_not_below_zero"),
            models.UniqueConstraint(
                fields=["home", "clause", "season", "item"], condition=models.Q(after__isnull=True, withdrawn=False),
                name="refund_begins_once",
            ),
            models.UniqueConstraint(fields=["after"], condition=models.Q(withdrawn=False), name="refund_followed_once"),
            models.UniqueConstraint(fields=["judgement_id"], condition=models.Q(withdrawn=False), name="judgement_paid_once"),
        ]  # fmt: skip
        indexes = [models.Index(fields=["home", "season"]), models.Index(fields=["batch", "home"])]


class RefundSetOff(models.Model):
    """抵扣: a part of a batch's refund that pays back what the home was refunded too much. Undone by a reversing entry, never changed."""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(RefundBatch, models.PROTECT, related_name="set_offs")
    home = models.ForeignKey("registry.Home", models.PROTECT, related_name="refund_set_offs")
    amount_fen = models.BigIntegerField()
    entry = models.OneToOneField("billing.Entry", models.PROTECT, related_name="+")
    undone = models.OneToOneField("billing.Entry", models.PROTECT, null=True, related_name="+")
    asked = models.JSONField(
        default=dict, db_default={}, help_text="by whom and why undoing it was asked for, and the hash of that"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_fen__gt=0), name="set_off_is_positive"),
            models.UniqueConstraint(fields=["batch", "home"], name="set_off_once_a_batch"),
        ]

    @property
    def subject(self) -> str:
        return f"refund_setoff:{self.pk}"


class RefundPayout(models.Model):
    """A home's refund on its way: payable → in transit → paid; what fails is payable again and gets another attempt."""

    class State(models.TextChoices):
        PENDING = "pending", "待付"
        IN_TRANSIT = "in_transit", "付款中"
        PAID = "paid", "已付"
        FAILED = "failed", "付款失败"
        CREDITED = "credited", "已抵下季"
        CANCELLED = "cancelled", "已取消"

    class Kind(models.TextChoices):
        REFUND = "refund", "退费"
        INTEREST = "interest", "滞退金"
        SET_OFF = "set_off", "撤销抵扣"

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(RefundBatch, models.PROTECT, related_name="payouts")
    home = models.ForeignKey("registry.Home", models.PROTECT, related_name="refund_payouts")
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.REFUND)
    amount_fen = models.BigIntegerField()
    attempt = models.IntegerField(default=1)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    channel = models.CharField(max_length=24, blank=True, help_text="how it goes out: original channel, bank, cash")
    refund_of = models.ForeignKey(
        "billing.Payment", models.PROTECT, null=True, related_name="+", help_text="the payment that goes back"
    )
    deadline = models.DateField(null=True)
    why = models.CharField(max_length=200, blank=True, help_text="why it failed, or why no interest could be said")
    channel_txn = models.CharField(max_length=80, blank=True, help_text="the channel's number of the refund")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    done_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_fen__gt=0), name="payout_is_positive"),
            models.UniqueConstraint(
                fields=["batch", "home", "kind"], condition=~models.Q(state__in=["failed", "cancelled"]), name="one_live_payout"
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["company", "state"])]

    @property
    def number(self) -> str:
        """Our number of the payout, as the channel gives it back."""
        return f"NT{self.pk:010d}"


class RefundNotice(models.Model):
    """What a home was told about its refund: what, why, when."""

    class Kind(models.TextChoices):
        POSTED = "posted", "应退"
        PAID = "paid", "已付"
        FAILED = "failed", "没有付成"
        CREDITED = "credited", "抵下季"
        WITHDRAWN = "withdrawn", "更正"
        SET_OFF = "set_off", "抵扣"

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(RefundBatch, models.PROTECT, related_name="notices")
    home = models.ForeignKey("registry.Home", models.PROTECT, related_name="refund_notices")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    amount_fen = models.BigIntegerField()
    text = models.TextField()
    told_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["home", "-id"])]
