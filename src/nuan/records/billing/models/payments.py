"""Money that comes in: files of a channel, payments, what they pay. What PostgreSQL refuses stands in migration 0011.

A payment and an allocation are facts: nothing in them changes. `Payment.open_fen` is the part that nobody has placed yet; the
database holds it equal to the amount less its allocations when a transaction commits.
"""

from django.db import models


class PaymentFile(models.Model):
    """A file that somebody handed in: taken in whole, or refused with its findings. The same content is taken in once a company."""

    class State(models.TextChoices):
        IMPORTED = "imported", "已导入"
        REFUSED = "refused", "未通过"

    id = models.BigAutoField(primary_key=True)
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="payment_files")
    channel = models.CharField(max_length=24)
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    variant = models.CharField(max_length=12, blank=True)
    state = models.CharField(max_length=8, choices=State.choices)
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)
    rows = models.IntegerField(default=0)
    new = models.IntegerField(default=0, help_text="payments that were not known before")
    known = models.IntegerField(default=0, help_text="rows that an earlier file had already brought")
    total_fen = models.BigIntegerField(default=0)
    stated = models.JSONField(default=dict, help_text="the file's own control totals")
    findings = models.JSONField(default=list)
    imported_by = models.CharField(max_length=120)
    imported_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True, help_text="when somebody put a refused file aside")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "channel", "digest"], condition=models.Q(state="imported"), name="file_taken_in_once"
            )
        ]
        indexes = [models.Index(fields=["company", "-id"])]


class Payment(models.Model):
    """收款: one receipt. `txn_id` is the channel's own number, or ours where a person wrote it down at the counter."""

    id = models.BigAutoField(primary_key=True)
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="payments")
    channel = models.CharField(max_length=24)
    txn_id = models.CharField(max_length=80)
    file = models.ForeignKey(PaymentFile, models.PROTECT, null=True, related_name="payments")
    row = models.IntegerField(null=True)
    amount_fen = models.BigIntegerField()
    fee_fen = models.BigIntegerField(default=0)
    paid_at = models.DateTimeField()
    references = models.JSONField(default=list)
    payer = models.CharField(max_length=40, blank=True, help_text="masked: enough to recognise, not enough to know")
    payer_key = models.CharField(
        max_length=24, blank=True, default="", db_default="", help_text="a platform's account, known again"
    )
    open_fen = models.BigIntegerField(help_text="not yet placed")
    doubt = models.CharField(max_length=24, blank=True, help_text="why no rule placed it")
    home = models.ForeignKey(
        "registry.Home", models.PROTECT, null=True, related_name="payments", help_text="whose it is, where known"
    )
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "channel", "txn_id"], name="payment_once_a_channel"),
            models.CheckConstraint(condition=models.Q(amount_fen__gt=0), name="payment_is_positive"),
            models.CheckConstraint(
                condition=models.Q(open_fen__gte=0) & models.Q(open_fen__lte=models.F("amount_fen")),
                name="payment_open_part",
            ),
        ]
        indexes = [
            models.Index(fields=["company", "paid_at"]),
            models.Index(fields=["home", "paid_at"]),
            models.Index(fields=["payer_key"], condition=~models.Q(payer_key=""), name="payment_by_payer"),
            models.Index(fields=["company", "id"], condition=models.Q(open_fen__gt=0), name="payment_in_the_queue"),
        ]


class Allocation(models.Model):
    """A part of a payment, placed on a bill or into a home's credit. Undone by a row that takes it back, never changed."""

    id = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="allocations")
    home = models.ForeignKey("registry.Home", models.PROTECT, related_name="+")
    bill = models.ForeignKey(
        "billing.Bill", models.PROTECT, null=True, related_name="allocations", help_text="null = into the home's credit"
    )
    amount_fen = models.BigIntegerField(help_text="negative where it takes another back")
    rule = models.CharField(max_length=24, help_text="exact, split, part, over, person, oldest_first, undo")
    entry = models.OneToOneField("billing.Entry", models.PROTECT, related_name="+")
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")
    why = models.CharField(max_length=200, blank=True)
    made_by = models.CharField(max_length=120)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount_fen__gt=0, undoes__isnull=True)
                | models.Q(amount_fen__lt=0, undoes__isnull=False),
                name="allocation_gives_or_takes_back",
            )
        ]


class ChannelEvent(models.Model):
    """A signed message of a channel, once: what came twice, late or in another order changes nothing."""

    id = models.BigAutoField(primary_key=True)
    channel = models.CharField(max_length=24)
    event_id = models.CharField(max_length=80)
    kind = models.CharField(max_length=24)
    txn_id = models.CharField(max_length=80, blank=True)
    body_digest = models.CharField(max_length=64)
    outcome = models.CharField(max_length=24, help_text="applied, known, superseded, unknown")
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "event_id"], name="event_once_a_channel")]


class CounterDay(models.Model):
    """日结: the cash that was counted at the end of a day, against what was written down. Closed once; then the day takes nothing more."""

    id = models.BigAutoField(primary_key=True)
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="+")
    day = models.DateField()
    expected_fen = models.BigIntegerField()
    counted_fen = models.BigIntegerField()
    receipts = models.IntegerField()
    why = models.CharField(max_length=200, blank=True, help_text="where counted and expected differ")
    entry = models.OneToOneField(
        "billing.Entry", models.PROTECT, null=True, related_name="+", help_text="of the difference"
    )
    closed_by = models.CharField(max_length=120)
    closed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "day"], name="counter_closed_once_a_day")]
