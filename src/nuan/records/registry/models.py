"""The supply tree as records. Codes are the keys that files, readings and judgements use; they are never reused."""

from django.db import models


class Banner(models.Model):
    """旗区: a district-level place; it owns vehicles, plans and budgets."""

    code = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=60)
    pack = models.CharField(max_length=60, default="directive", help_text="jurisdiction pack that applies here")

    def __str__(self) -> str:
        return self.name


class Company(models.Model):
    """供热企业."""

    code = models.CharField(max_length=24, primary_key=True)
    name = models.CharField(max_length=120)
    uscc = models.CharField("统一社会信用代码", max_length=18, blank=True)
    service_phone = models.CharField(max_length=24, blank=True)

    def __str__(self) -> str:
        return self.name


class HeatSource(models.Model):
    """热源: a plant that burns fuel for one company."""

    code = models.CharField(max_length=24, primary_key=True)
    name = models.CharField(max_length=120)
    company = models.ForeignKey(Company, models.PROTECT, related_name="sources")
    banner = models.ForeignKey(Banner, models.PROTECT, related_name="sources")
    fuel = models.CharField(max_length=12, default="coal")
    capacity_mw = models.DecimalField(max_digits=9, decimal_places=3, null=True)
    longitude = models.FloatField(null=True)
    latitude = models.FloatField(null=True)

    def __str__(self) -> str:
        return self.name


class Substation(models.Model):
    """换热站."""

    code = models.CharField(max_length=32, primary_key=True)
    name = models.CharField(max_length=120)
    source = models.ForeignKey(HeatSource, models.PROTECT, related_name="substations")
    company = models.ForeignKey(Company, models.PROTECT, related_name="substations")
    banner = models.ForeignKey(Banner, models.PROTECT, related_name="substations")
    longitude = models.FloatField(null=True)
    latitude = models.FloatField(null=True)

    def __str__(self) -> str:
        return self.name


class Loop(models.Model):
    """二次网环路: high zone, low zone, floor heating…"""

    code = models.CharField(max_length=40, primary_key=True)
    name = models.CharField(max_length=120)
    substation = models.ForeignKey(Substation, models.PROTECT, related_name="loops")


class Building(models.Model):
    """楼栋."""

    code = models.CharField(max_length=40, primary_key=True)
    name = models.CharField(max_length=120)
    estate = models.CharField("小区", max_length=120, blank=True)
    loop = models.ForeignKey(Loop, models.PROTECT, related_name="buildings")
    banner = models.ForeignKey(Banner, models.PROTECT, related_name="buildings")
    longitude = models.FloatField(null=True)
    latitude = models.FloatField(null=True)
    built_year = models.IntegerField(null=True)
    floors = models.IntegerField(null=True)

    def __str__(self) -> str:
        return self.name


class Home(models.Model):
    """热用户: one dwelling. Company, banner and station are repeated here because every question asks for them."""

    id = models.BigAutoField(primary_key=True)
    code = models.CharField(max_length=48, unique=True)
    building = models.ForeignKey(Building, models.PROTECT, related_name="homes")
    substation = models.ForeignKey(Substation, models.PROTECT, related_name="homes")
    company = models.ForeignKey(Company, models.PROTECT, related_name="homes")
    banner = models.ForeignKey(Banner, models.PROTECT, related_name="homes")
    entrance = models.CharField("单元", max_length=8, blank=True)
    floor = models.IntegerField(null=True)
    door = models.CharField("门牌", max_length=12, blank=True)
    home_class = models.CharField(max_length=20, default="residential")

    def __str__(self) -> str:
        return self.code


class Contract(models.Model):
    """供用热合同 for one season."""

    home = models.ForeignKey(Home, models.PROTECT, related_name="contracts")
    season = models.CharField(max_length=9)
    area_m2_100 = models.BigIntegerField("计费面积, 0.01 m²")
    season_fee_fen = models.BigIntegerField(null=True, help_text="null = 未载明")
    base_fee_fen = models.BigIntegerField(null=True)
    stop_heat = models.BooleanField(default=False)
    metered = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["home", "season"], name="contract_once_a_season")]


class Resident(models.Model):
    """The person whom a home belongs to; personal data stand here and nowhere else."""

    home = models.ForeignKey(Home, models.CASCADE, related_name="residents")
    name = models.CharField(max_length=60)
    phone = models.CharField(max_length=24, blank=True)
