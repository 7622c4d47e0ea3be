"""Gateways, the devices behind them, and what could not be read or placed (死信). Codes of gateways are never reused."""

import secrets

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

CODE = RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")
"""A gateway's code stands in topics, in access lists and in addresses: no slash, no wildcard, no blank."""


class Gateway(models.Model):
    """网关: a sender with credentials of its own. Only the SHA-256 of its token is kept; the text is shown once."""

    class Protocol(models.TextChoices):
        LINE = "line", "InfluxDB 行协议 (HTTP)"
        MQTT = "mqtt", "MQTT"
        THINGSBOARD = "thingsboard", "ThingsBoard 网关 (MQTT)"

    code = models.CharField(max_length=40, primary_key=True, validators=[CODE])
    name = models.CharField(max_length=120)
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="gateways")
    protocol = models.CharField(max_length=12, choices=Protocol.choices)
    digest = models.CharField(max_length=64, unique=True)
    broker_hash = models.CharField(
        max_length=160, blank=True, help_text="the token as a broker's password file wants it"
    )
    previous_digest = models.CharField(
        max_length=64, blank=True, help_text="opens until `previous_until` after a rotation"
    )
    previous_until = models.DateTimeField(null=True)
    device_tag = models.CharField(
        max_length=60, default="device", help_text="tag of the line protocol that names the device"
    )
    timezone = models.CharField(max_length=40, default="Asia/Shanghai", help_text="of times that come without one")
    max_readings_per_s = models.IntegerField(default=5_000)
    max_series = models.IntegerField(default=100_000)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(max_readings_per_s__gt=0, max_series__gt=0), name="gateway_limits_positive"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def new_token() -> str:
        return "nuan_gw_" + secrets.token_urlsafe(32)


class GatewayPulse(models.Model):
    """What the intake last saw of a gateway. Written by the machine every few seconds, apart from what people decided."""

    gateway = models.OneToOneField(Gateway, models.CASCADE, primary_key=True, related_name="pulse")
    last_seen_s = models.BigIntegerField(help_text="arrival of its last message, epoch seconds")
    newest_s = models.BigIntegerField(null=True, help_text="newest device time among its readings")
    clock_offset_s = models.FloatField(
        null=True, help_text="device clock minus ours; positive: the gateway's clock is ahead"
    )
    clock_spread_s = models.FloatField(null=True, help_text="how far the estimate may be off: half its scatter")
    readings = models.BigIntegerField(default=0)
    untrusted = models.BigIntegerField(default=0, help_text="readings among them with a flag that withholds trust")
    late = models.BigIntegerField(default=0)
    letters = models.BigIntegerField(default=0, help_text="messages that went to the dead letters")


class DeviceProfile(models.Model):
    """设备模板: a device is a table of points, as YAML in the words of `telemetry.protocols.profile`."""

    code = models.CharField(max_length=60, primary_key=True)
    name = models.CharField(max_length=120)
    protocol = models.CharField(max_length=20)
    kind = models.CharField(max_length=12)
    text = models.TextField()

    def __str__(self) -> str:
        return self.name


class Device(models.Model):
    """设备: a serial number at a place. An exchanged meter stays in the table; its successor points back to it."""

    class Kind(models.TextChoices):
        HEAT_METER = "heat_meter", "热量表"
        ROOM_SENSOR = "room_sensor", "室温采集器"
        STATION_RTU = "station_rtu", "换热站控制器"
        WATER_METER = "water_meter", "水表"
        WEATHER = "weather", "气象站"
        OTHER = "other", "其他"

    gateway = models.ForeignKey(Gateway, models.PROTECT, related_name="devices")
    code = models.CharField(max_length=60, help_text="serial number: the name that the device goes by in its messages")
    profile = models.ForeignKey(DeviceProfile, models.PROTECT, related_name="devices")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    level = models.CharField(max_length=12, help_text="source, substation, loop, building or home")
    place = models.CharField(max_length=48)
    position = models.CharField(max_length=24, default="room", help_text="where at the place: living, supply, return …")
    banner = models.ForeignKey("registry.Banner", models.PROTECT, null=True, related_name="+")
    maker = models.CharField(max_length=80, blank=True)
    installed_on = models.DateField(null=True)
    removed_on = models.DateField(null=True, help_text="from this day another device stands in its place, or none")
    calibrated_on = models.DateField(null=True)
    calibration_valid_until = models.DateField(null=True)
    predecessor = models.OneToOneField("self", models.PROTECT, null=True, related_name="successor")
    first_register = models.DecimalField(
        max_digits=16, decimal_places=3, null=True, help_text="counter at installation"
    )
    last_register = models.DecimalField(max_digits=16, decimal_places=3, null=True, help_text="counter at removal")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "code"], name="device_once_behind_a_gateway"),
            models.CheckConstraint(
                condition=Q(removed_on=None) | Q(installed_on=None) | Q(removed_on__gte=F("installed_on")),
                name="device_removed_after_installed",
            ),
        ]
        indexes = [models.Index(fields=["place"]), models.Index(fields=["kind", "calibration_valid_until"])]

    def __str__(self) -> str:
        return self.code


class DirectoryEdition(models.Model):
    """One row: counts up whenever a gateway, profile or device changes, so that the intake knows when to read them again."""

    number = models.BigIntegerField(default=1)


class DeadLetter(models.Model):
    """死信: a message, or the part of one, that could not be read or placed; with its bytes, so that it can be read again.

    `lane`, `sequence`, `index` say where the intake wrote it down first: shipping it twice changes nothing. `lane` is the identity under which
    the lane was open then: a lane that is put back to an older state, or begun anew, has another.
    """

    class State(models.TextChoices):
        OPEN = "open", "待处理"
        REPLAYED = "replayed", "已重放"
        DISCARDED = "discarded", "已弃置"

    id = models.BigAutoField(primary_key=True)
    lane = models.CharField(max_length=100)
    sequence = models.BigIntegerField()
    index = models.IntegerField()
    gateway = models.CharField(max_length=60, help_text="as it called itself; it may be nobody's")
    company = models.ForeignKey("registry.Company", models.PROTECT, null=True, related_name="+")
    protocol = models.CharField(max_length=24, blank=True)
    device = models.CharField(max_length=80, blank=True, help_text="where the topic named it")
    address = models.CharField(
        max_length=200, blank=True, help_text="the topic, or what else is needed to read it again"
    )
    arrived_s = models.BigIntegerField()
    reason = models.CharField(max_length=40)
    detail = models.CharField(max_length=600, blank=True, help_text="a code with its particulars, or plain text")
    payload = models.BinaryField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    decided_by = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lane", "sequence", "index"], name="dead_letter_once")]
        indexes = [
            models.Index(fields=["state", "reason", "gateway"]),
            models.Index(fields=["state", "company", "-arrived_s"]),
        ]
