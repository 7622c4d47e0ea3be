"""Facilities and pipes with owner, hand-over and warranty; what was done to them; what it cost the company.

Repairs and costs are only ever added: a mistake is taken back by a row that `reverses` it with the negative amount.
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

UNKNOWN = "unknown"


class Work(models.TextChoices):
    REPAIR = "repair", "维修"
    UPKEEP = "upkeep", "养护"
    RENEWAL = "renewal", "更新"


class Asset(models.Model):
    class Kind(models.TextChoices):
        BURIED_PIPE = "buried_pipe", "直埋管道"
        RISER = "riser", "楼内立管"
        STATION_EQUIPMENT = "station_equipment", "换热站设备"
        HOUSEHOLD_METER = "household_meter", "分户热计量装置"
        VALVE = "valve", "阀门"
        INDOOR_PIPE = "indoor_pipe", "户内管道"
        RADIATOR = "radiator", "散热器"

    class Owner(models.TextChoices):
        COMPANY = "company", "供热企业"
        USER = "user", "热用户"
        BUILDER = "builder", "建设单位"
        UNKNOWN = "unknown", "未登记"

    class Position(models.TextChoices):
        OUTSIDE = "outside", "计量装置或入户端口以外"
        BOUNDARY = "boundary", "计量装置或入户端口本身"
        INSIDE = "inside", "计量装置或入户端口以内"
        UNKNOWN = "unknown", "未登记"

    class Handover(models.TextChoices):
        DONE = "done", "已移交"
        PENDING = "pending", "尚未移交"
        UNKNOWN = "unknown", "未登记"

    class Warranty(models.TextChoices):
        UNTIL = "until", "有保修期"
        NONE = "none", "没有保修期"
        UNKNOWN = "unknown", "未登记"

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="assets")
    banner = models.ForeignKey("registry.Banner", models.PROTECT, related_name="assets")
    building = models.ForeignKey("registry.Building", models.PROTECT, null=True, related_name="assets")
    owner = models.CharField(max_length=8, choices=Owner.choices, default=UNKNOWN)
    position = models.CharField(max_length=8, choices=Position.choices, default=UNKNOWN)
    handover = models.CharField(max_length=8, choices=Handover.choices, default=UNKNOWN)
    handed_over_on = models.DateField(null=True)
    warranty = models.CharField(max_length=8, choices=Warranty.choices, default=UNKNOWN)
    warranty_until = models.DateField(null=True)
    builder = models.CharField("建设单位", max_length=120, blank=True)
    contract_ref = models.CharField("供用热合同条款", max_length=120, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(handover="done", handed_over_on__isnull=False)
                | (~Q(handover="done") & Q(handed_over_on=None)),
                name="asset_handover_has_its_day",
            ),
            models.CheckConstraint(
                condition=Q(warranty="until", warranty_until__isnull=False)
                | (~Q(warranty="until") & Q(warranty_until=None)),
                name="asset_warranty_has_its_day",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Repair(models.Model):
    class ChargedTo(models.TextChoices):
        COMPANY = "company", "供热企业"
        BUILDER = "builder", "建设单位"
        USER = "user", "热用户"
        FUND = "fund", "保障资金"
        UNKNOWN = "unknown", "未登记"

    code = models.CharField(max_length=40, unique=True)
    asset = models.ForeignKey(Asset, models.PROTECT, related_name="repairs")
    on = models.DateField()
    category = models.CharField(max_length=8, choices=Work.choices)
    cost_fen = models.BigIntegerField()
    charged_to = models.CharField(max_length=8, choices=ChargedTo.choices, default=UNKNOWN)
    invoice_ref = models.CharField("发票或结算单号", max_length=80, blank=True)
    memo = models.CharField(max_length=300, blank=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    recorded_by = models.CharField(max_length=120, db_default="导入")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reverses=None, cost_fen__gt=0) | Q(reverses__isnull=False, cost_fen__lt=0),
                name="repair_costs_something",
            )
        ]
        indexes = [models.Index(fields=["-on", "-id"])]


class CostEntry(models.Model):
    class Category(models.TextChoices):
        REPAIR = "repair", "维修"
        UPKEEP = "upkeep", "养护"
        RENEWAL = "renewal", "更新"
        FUEL = "fuel", "燃料"
        POWER = "power", "电力"
        WATER = "water", "水"
        LABOUR = "labour", "人工"
        DEPRECIATION = "depreciation", "折旧"
        OTHER = "other", "其他"

    code = models.CharField(max_length=40, unique=True)
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="costs")
    banner = models.ForeignKey("registry.Banner", models.PROTECT, related_name="costs")
    asset = models.ForeignKey(Asset, models.PROTECT, null=True, related_name="costs")
    repair = models.ForeignKey(Repair, models.PROTECT, null=True, related_name="costs")
    on = models.DateField()
    category = models.CharField(max_length=12, choices=Category.choices)
    amount_fen = models.BigIntegerField()
    in_price_cost = models.BooleanField("已列入定价成本")
    invoice_ref = models.CharField("发票或凭证号", max_length=80, blank=True)
    memo = models.CharField(max_length=300, blank=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    recorded_by = models.CharField(max_length=120, db_default="导入")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reverses=None, amount_fen__gt=0) | Q(reverses__isnull=False, amount_fen__lt=0),
                name="cost_is_positive",
            )
        ]
        indexes = [models.Index(fields=["company", "-on"])]
