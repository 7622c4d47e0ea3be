"""Maintenance funds (保障资金) of banners: accounts, applications, decisions of two people, movements. Balances are derived.

Migration 0002 has PostgreSQL refuse a balance below zero, spending without two approvals, and an approver who applied.
"""

from django.db import models
from django.db.models import Q

from nuan.records.support.models.costs import Asset, Work


class FundAccount(models.Model):
    code = models.CharField(max_length=40, unique=True)
    banner = models.ForeignKey("registry.Banner", models.PROTECT, related_name="fund_accounts")
    name = models.CharField(max_length=120)
    opened_on = models.DateField()

    def __str__(self) -> str:
        return self.name


class FundApplication(models.Model):
    """What a company asks for. `branch` is how the eligibility rule decided when it was handed in; its words stand in the rule."""

    class Eligibility(models.TextChoices):
        ELIGIBLE = "eligible", "符合使用范围"
        INELIGIBLE = "ineligible", "不符合使用范围"
        OPEN = "open", "无法判定"

    code = models.CharField(max_length=40, unique=True)
    account = models.ForeignKey(FundAccount, models.PROTECT, related_name="applications")
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="fund_applications")
    asset = models.ForeignKey(Asset, models.PROTECT, related_name="fund_applications")
    work = models.CharField(max_length=8, choices=Work.choices)
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=300)
    eligibility = models.CharField(max_length=10, choices=Eligibility.choices)
    branch = models.CharField(max_length=20)
    applied_on = models.DateField()
    applied_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    applied_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount_fen__gt=0), name="application_asks_for_something")]


class FundDecision(models.Model):
    class Answer(models.TextChoices):
        APPROVED = "approved", "同意"
        REFUSED = "refused", "不同意"

    application = models.ForeignKey(FundApplication, models.PROTECT, related_name="decisions")
    answer = models.CharField(max_length=8, choices=Answer.choices)
    why = models.CharField(max_length=300, blank=True)
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "decided_by"], name="fund_decided_once_by_one")]


class FundMovement(models.Model):
    """`amount_fen` is signed: a deposit adds, spending takes away."""

    class Kind(models.TextChoices):
        DEPOSIT = "deposit", "存入"
        SPENDING = "spending", "支出"

    code = models.CharField(max_length=40, unique=True)
    account = models.ForeignKey(FundAccount, models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    amount_fen = models.BigIntegerField()
    on = models.DateField()
    application = models.ForeignKey(FundApplication, models.PROTECT, null=True, related_name="movements")
    reference = models.CharField("凭证号", max_length=80, blank=True)
    memo = models.CharField(max_length=300, blank=True)
    recorded_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="deposit", amount_fen__gt=0, application=None)
                | Q(kind="spending", amount_fen__lt=0, application__isnull=False),
                name="fund_movement_has_its_sign",
            )
        ]
