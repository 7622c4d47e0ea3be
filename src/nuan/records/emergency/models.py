"""Outages (停热) and mobile heat-source vehicles (移动应急热源车)."""

from django.db import models


class Outage(models.Model):
    class Cause(models.TextChoices):
        SOURCE = "source", "热源"
        SUPPLIER = "supplier", "供热企业"
        USER = "user", "用户自身"
        THIRD_PARTY = "third_party", "第三方"
        FORCE_MAJEURE = "force_majeure", "不可抗力"
        UNKNOWN = "unknown", "未查明"

    code = models.CharField(max_length=40, unique=True)
    level = models.CharField(max_length=12, help_text="source, substation, loop, building or home")
    place = models.CharField(max_length=48)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    planned = models.BooleanField(default=False)
    cause = models.CharField(max_length=14, choices=Cause.choices, default=Cause.UNKNOWN)
    attested_by = models.CharField(max_length=120, blank=True)
    note = models.TextField(blank=True)


class Vehicle(models.Model):
    code = models.CharField(max_length=24, unique=True)
    banner = models.ForeignKey("registry.Banner", models.PROTECT, related_name="vehicles")
    power_kw = models.IntegerField()
    available_from = models.DateField()
    available_to = models.DateField(null=True, blank=True)
    station = models.CharField("停放点", max_length=120, blank=True)
