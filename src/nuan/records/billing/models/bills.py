"""Bills and the runs that make them. A bill is never edited: an adjustment, a late fee or a cancellation is another document that
names it. Migration 0006 has the database hold lines = bill = ledger, and four eyes before a run's bills."""

from django.db import models


class BillingCard(models.Model):
    """计费卡片: what a tariff asks about a home in a season beyond the contract. Empty is 未登记, never zero."""

    class HeatUnit(models.TextChoices):
        KWH = "kWh", "kWh"
        GJ = "GJ", "GJ"

    home = models.ForeignKey("registry.Home", models.PROTECT, related_name="billing_cards")
    season = models.CharField(max_length=9)
    building_m2_100 = models.BigIntegerField("建筑面积, 0.01 m²", null=True)
    inner_m2_100 = models.BigIntegerField("套内面积, 0.01 m²", null=True)
    usable_m2_100 = models.BigIntegerField("使用面积, 0.01 m²", null=True)
    ceiling_mm = models.IntegerField("层高, mm", null=True)
    heat_1000 = models.BigIntegerField("用热量, 千分之一", null=True, help_text="of heat_unit, the whole season")
    heat_unit = models.CharField(max_length=3, choices=HeatUnit.choices, default=HeatUnit.KWH)
    connection_m2_100 = models.BigIntegerField("新接入面积, 0.01 m²", null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["home", "season"], name="one_billing_card")]


class StopHeatApplication(models.Model):
    """停热申请 and what became of it."""

    home = models.ForeignKey("registry.Home", models.PROTECT, related_name="stop_heat_applications")
    season = models.CharField(max_length=9)
    applied_on = models.DateField()
    facts = models.JSONField(default=list, help_text="grounds found to hold")
    accepted = models.BooleanField(null=True, help_text="null = nobody can say yet")
    why = models.TextField(blank=True)
    decided_by = models.CharField(max_length=120)
    decided_at = models.DateTimeField(auto_now_add=True)


class BillRun(models.Model):
    """A company's bills of a season as they would be: nothing is posted by making one. Same inputs and rules, same content hash."""

    id = models.BigAutoField(primary_key=True)
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="bill_runs")
    season = models.CharField(max_length=9)
    content_hash = models.CharField(max_length=64)
    inputs_hash = models.CharField(max_length=64)
    rules_fingerprint = models.CharField(max_length=64)
    packs = models.JSONField(default=dict, help_text="pack → version")
    bills = models.IntegerField()
    total_fen = models.BigIntegerField()
    summary = models.JSONField(
        default=dict, help_text="totals by kind, exceptions by code, what was not charged and why"
    )
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "season", "content_hash"], name="one_run_a_content")]

    @property
    def subject(self) -> str:
        """By this name the run is proposed and decided on."""
        return f"bill_run:{self.pk}"


class BillException(models.Model):
    """A home that a run cannot bill (`blocking`), or whose bill somebody should look at first."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(BillRun, models.PROTECT, related_name="exceptions")
    home = models.ForeignKey("registry.Home", models.PROTECT, related_name="+")
    code = models.CharField(max_length=60)
    blocking = models.BooleanField()
    detail = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        indexes = [models.Index(fields=["run", "-blocking", "code"])]


class RunPosting(models.Model):
    """That a run was posted, on which approval. The database accepts the row only where another person agreed to this content."""

    run = models.OneToOneField(BillRun, models.PROTECT, primary_key=True, related_name="posting")
    proposal = models.ForeignKey("billing.Proposal", models.PROTECT, related_name="+")
    content_hash = models.CharField(max_length=64)
    issued_on = models.DateField()
    posted_by = models.CharField(max_length=120)
    posted_at = models.DateTimeField(auto_now_add=True)


class BillCounter(models.Model):
    """The last number given to a company in a year; its row is the queue in which everybody who numbers a document stands."""

    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="+")
    year = models.IntegerField()
    last = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "year"], name="one_counter_a_year")]


class Bill(models.Model):
    """账单 and the documents about it. `total_fen` is what the home owes more (or less) by this document."""

    class Kind(models.TextChoices):
        BILL = "bill", "账单"
        ADJUSTMENT = "adjustment", "调整单"
        CANCELLATION = "cancellation", "冲销单"
        LATE_FEE = "late_fee", "违约金单"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.BILL)
    run = models.ForeignKey(
        BillRun, models.PROTECT, null=True, related_name="posted_bills", db_index=False, db_constraint=False
    )
    about = models.ForeignKey("self", models.PROTECT, null=True, related_name="documents", db_index=False)
    company = models.ForeignKey(
        "registry.Company", models.PROTECT, related_name="bills", db_index=False, db_constraint=False
    )
    home = models.ForeignKey("registry.Home", models.PROTECT, related_name="bills", db_index=False, db_constraint=False)
    season = models.CharField(max_length=9)
    year = models.IntegerField(help_text="of the number")
    seq = models.BigIntegerField(help_text="consecutive by company and year")
    number = models.CharField(max_length=40)
    issued_on = models.DateField()
    due_on = models.DateField(null=True, help_text="null = 未载明")
    total_fen = models.BigIntegerField()
    entry = models.OneToOneField("billing.Entry", models.PROTECT, related_name="bill", db_constraint=False)
    memo = models.CharField(max_length=200, blank=True, default="", db_default="")
    pack = models.CharField(max_length=60, blank=True, default="", db_default="")
    pack_version = models.CharField(max_length=64, blank=True, default="", db_default="")
    inputs = models.JSONField(default=dict, help_text="what the lines were reckoned from")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number"], name="one_bill_a_number"),
            models.UniqueConstraint(fields=["company", "year", "seq"], name="bill_numbered_once"),
            models.UniqueConstraint(fields=["run", "home"], name="one_bill_a_run"),
            models.UniqueConstraint(
                fields=["about"], condition=models.Q(kind="cancellation"), name="bill_cancelled_once"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="bill", about=None) | ~models.Q(kind="bill") & ~models.Q(about=None),
                name="only_a_bill_stands_alone",
            ),
        ]
        indexes = [
            models.Index(fields=["home", "season"]),
            models.Index(fields=["about"], condition=models.Q(about__isnull=False), name="documents_of_a_bill"),
        ]


class BillLine(models.Model):
    """One line. `parameter` is the number of the place's rules behind it, `part` the stretch of days in which that number held."""

    id = models.BigAutoField(primary_key=True)
    bill = models.ForeignKey(Bill, models.PROTECT, related_name="lines", db_index=False)
    position = models.SmallIntegerField()
    kind = models.CharField(max_length=12)
    part = models.SmallIntegerField(default=0)
    quantity = models.BigIntegerField(default=0)
    amount_fen = models.BigIntegerField()
    parameter = models.CharField(max_length=60, blank=True, default="", db_default="")
    words = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bill", "position"], name="one_line_a_position")]


class DunningNotice(models.Model):
    """催缴: a step that was taken about a bill. No step cuts anybody off."""

    bill = models.ForeignKey(Bill, models.PROTECT, related_name="notices")
    step = models.CharField(max_length=40)
    channel = models.CharField(max_length=12)
    due_on = models.DateField(help_text="the day from which the step was due")
    text = models.TextField()
    made_by = models.CharField(max_length=120)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bill", "step"], name="dunning_step_once")]


class BillingHold(models.Model):
    """A case or dispute about a home's bill is open: no dunning and no late fee from `since` until it is released."""

    home = models.ForeignKey("registry.Home", models.PROTECT, related_name="billing_holds")
    reason = models.TextField()
    since = models.DateField()
    until = models.DateField(null=True, help_text="the last day of the hold")
    placed_by = models.CharField(max_length=120)
    released_by = models.CharField(max_length=120, blank=True)
