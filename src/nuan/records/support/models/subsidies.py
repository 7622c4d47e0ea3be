"""Who is entitled to a heating subsidy, by which dated programme, and what was paid. Evidence is personal data: lists show its end only."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Category(models.TextChoices):
    LOW_INCOME = "low_income", "城乡低保"
    DESTITUTE = "destitute", "特困供养"
    NEAR_LOW_INCOME = "near_low_income", "低保边缘"
    SPECIAL_CARE = "special_care", "优抚及其他特殊困难"
    WELFARE = "welfare", "公益性机构"


class Beneficiary(models.Model):
    """A home, or the contract of a welfare institution, with the evidence that entitles it from `valid_from` to `valid_to` (included)."""

    code = models.CharField(max_length=40, unique=True)
    home = models.ForeignKey("registry.Home", models.PROTECT, related_name="beneficiaries")
    category = models.CharField(max_length=16, choices=Category.choices)
    institution = models.CharField("机构名称", max_length=120, blank=True)
    evidence_ref = models.CharField("证明编号", max_length=80)
    evidence_issuer = models.CharField("出具单位", max_length=120, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, help_text="null = 未载明")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="evidence_ends_after_it_begins"
            )
        ]


class SubsidyProgramme(models.Model):
    """One recorded version of a programme for one season; a change is a new row. `rate`: fen, fen per m², or ‰ of the season fee."""

    class AmountKind(models.TextChoices):
        FIXED = "fixed", "每户定额"
        PER_M2 = "per_m2", "按面积"
        SHARE = "share", "按热费比例"

    code = models.CharField(max_length=24)
    name = models.CharField(max_length=120)
    banner = models.ForeignKey("registry.Banner", models.PROTECT, related_name="subsidy_programmes")
    season = models.CharField(max_length=9)
    categories = models.JSONField(default=list)
    amount_kind = models.CharField(max_length=8, choices=AmountKind.choices)
    rate = models.BigIntegerField()
    cap_fen = models.BigIntegerField(null=True)
    reference_day = models.DateField("认定日")
    due_on = models.DateField("应付日", null=True)
    payer = models.CharField("付款单位", max_length=120)
    instrument = models.CharField("依据文件", max_length=200, blank=True, help_text="empty = 未载明")
    demo = models.BooleanField("演示", default=False)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    recorded_on = models.DateField()
    recorded_by = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "season", "recorded_on"], name="programme_once_a_day"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="programme_pays_something"),
        ]


class SubsidyPayment(models.Model):
    code = models.CharField(max_length=40, unique=True)
    beneficiary = models.ForeignKey(Beneficiary, models.PROTECT, related_name="payments")
    programme = models.CharField(max_length=24)
    season = models.CharField(max_length=9)
    amount_fen = models.BigIntegerField()
    on = models.DateField()
    reference = models.CharField("拨付凭证号", max_length=80, blank=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    recorded_by = models.CharField(max_length=120, db_default="导入")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reverses=None, amount_fen__gt=0) | Q(reverses__isnull=False, amount_fen__lt=0),
                name="subsidy_payment_has_its_sign",
            )
        ]
        indexes = [models.Index(fields=["season", "programme"])]
