"""Debts of government to companies, their payments and settlement plans; sources of money and their use (never more than committed)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class GovernmentDebt(models.Model):
    class Kind(models.TextChoices):
        SUBSIDY = "subsidy", "供热补贴"
        WORKS = "works", "工程费"
        INFRASTRUCTURE_FEE = "infrastructure_fee", "基础设施配套费"
        COAL_PRICE = "coal_price", "煤价疏导"

    code = models.CharField(max_length=40, unique=True)
    banner = models.ForeignKey("registry.Banner", models.PROTECT, related_name="debts")
    debtor = models.CharField("欠款单位", max_length=120)
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="owed")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    amount_fen = models.BigIntegerField()
    incurred_on = models.DateField()
    due_on = models.DateField(null=True, help_text="null = 未载明")
    document = models.CharField("依据", max_length=200, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount_fen__gt=0), name="debt_is_positive")]


class SettlementPlan(models.Model):
    """The newest plan of a debt is in force."""

    debt = models.ForeignKey(GovernmentDebt, models.PROTECT, related_name="plans")
    agreed_on = models.DateField()
    signed_by = models.CharField("签署", max_length=200)
    document = models.CharField("协议编号", max_length=120, blank=True)
    recorded_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())


class Instalment(models.Model):
    plan = models.ForeignKey(SettlementPlan, models.PROTECT, related_name="instalments")
    number = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    amount_fen = models.BigIntegerField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="instalment_numbered_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="instalment_is_positive"),
        ]


class FundingSource(models.Model):
    class Kind(models.TextChoices):
        BUDGET = "budget", "财政预算"
        CENTRAL = "central", "中央资金"
        BOND = "bond", "债券资金"
        PPP = "ppp", "政府和社会资本合作（PPP）"
        FUND = "fund", "基金"

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=160)
    banner = models.ForeignKey("registry.Banner", models.PROTECT, related_name="funding_sources")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    committed_fen = models.BigIntegerField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    document = models.CharField("文号", max_length=160, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(committed_fen__gte=0), name="commitment_not_negative")]


class DebtPayment(models.Model):
    code = models.CharField(max_length=40, unique=True)
    debt = models.ForeignKey(GovernmentDebt, models.PROTECT, related_name="payments")
    amount_fen = models.BigIntegerField()
    on = models.DateField()
    reference = models.CharField("凭证号", max_length=80, blank=True)
    recorded_by = models.CharField(max_length=120, db_default="导入")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount_fen__gt=0), name="debt_payment_is_positive")]


class FundingUse(models.Model):
    code = models.CharField(max_length=40, unique=True)
    source = models.ForeignKey(FundingSource, models.PROTECT, related_name="uses")
    amount_fen = models.BigIntegerField()
    on = models.DateField()
    purpose = models.CharField(max_length=200)
    debt_payment = models.OneToOneField(DebtPayment, models.PROTECT, null=True, related_name="paid_from")
    reference = models.CharField("凭证号", max_length=80, blank=True)
    recorded_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount_fen__gt=0), name="use_is_positive")]
