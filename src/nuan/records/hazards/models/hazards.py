"""隐患: what was found where, how bad it is, who answers for it until when. Every change is a row of `HazardChange`; the hazard itself
is only the newest of them, kept for lists."""

from django.db import models

from nuan.records.hazards.states import State


class Level(models.TextChoices):
    """隐患级别. The directive names none (docs/hazards.md); what a level means and its hours are the place's own and stand in its pack."""

    GENERAL = "general", "一般"
    SERIOUS = "serious", "较大"
    MAJOR = "major", "重大"


class Kind(models.TextChoices):
    BREAK = "break", "管网破损"
    LEAK = "leak", "跑冒滴漏"
    SOAKED = "soaked", "污水浸泡"
    INSULATION = "insulation", "保温脱落"
    VALVE = "valve", "阀门故障"
    EQUIPMENT = "equipment", "站内设备"
    COVER = "cover", "井盖井室"
    OTHER = "other", "其他"


class Source(models.TextChoices):
    PATROL = "patrol", "巡线发现"
    LEAK_WARNING = "leak_warning", "泄漏预警"
    ALARM = "alarm", "告警"
    RESIDENT = "resident", "居民反映"
    INSPECTION = "inspection", "检查发现"
    STAFF = "staff", "员工上报"


class Hazard(models.Model):
    code = models.CharField(max_length=24, unique=True)
    key = models.CharField(
        max_length=120, unique=True, help_text="idempotency key: the same report again is the same hazard"
    )
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="hazards")
    banner = models.ForeignKey("registry.Banner", models.PROTECT, related_name="hazards")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.OTHER)
    words = models.CharField("情况", max_length=500)
    place_level = models.CharField(
        max_length=12, blank=True, help_text="source, substation, loop, building, pipe, chamber; empty: words only"
    )
    place_code = models.CharField(max_length=48, blank=True)
    place_words = models.CharField("地点", max_length=200, blank=True)
    longitude = models.FloatField(null=True)
    latitude = models.FloatField(null=True)
    source = models.CharField(max_length=14, choices=Source.choices)
    source_ref = models.CharField(max_length=80, blank=True, help_text="the alarm, warning or case it came from")
    reported_by = models.CharField(max_length=120)
    reporter = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, related_name="+", help_text="null: a machine"
    )
    found_at = models.DateTimeField()
    reported_at = models.DateTimeField()
    state = models.CharField(
        max_length=12, choices=[(state.value, state.zh) for state in State], default=State.REPORTED
    )
    level = models.CharField(max_length=8, choices=Level.choices, blank=True)
    responsible = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    deadline = models.DateTimeField(null=True)
    rectified_at = models.DateTimeField(null=True, help_text="empty again when a re-check fails")
    ended_at = models.DateTimeField(null=True, help_text="closed or rejected")
    escalated_to = models.CharField(max_length=8, blank=True, help_text="banner or city; the furthest that it went")

    class Meta:
        indexes = [
            models.Index(fields=["state", "company", "deadline"]),
            models.Index(fields=["company", "-reported_at"]),
            models.Index(fields=["banner", "-reported_at"]),
            models.Index(fields=["place_code", "-reported_at"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=("reported", "rejected"))
                | (~models.Q(level="") & models.Q(responsible__isnull=False, deadline__isnull=False)),
                name="hazard_graded_with_a_person_and_a_day",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("closed", "rejected"), ended_at__isnull=False)
                | (~models.Q(state__in=("closed", "rejected")) & models.Q(ended_at__isnull=True)),
                name="hazard_ended_says_when",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class HazardChange(models.Model):
    """One event. Append-only; the database refuses a re-check by somebody who rectified or was responsible (hazards 0002)."""

    hazard = models.ForeignKey(Hazard, models.PROTECT, related_name="changes")
    at = models.DateTimeField()
    actor = models.CharField(max_length=120)
    by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+", help_text="null: a machine")
    event = models.CharField(max_length=10)
    state_from = models.CharField(max_length=12, blank=True)
    state_to = models.CharField(max_length=12)
    level = models.CharField(max_length=8, blank=True, help_text="as it is after the change")
    responsible = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, related_name="+", help_text="as after the change"
    )
    deadline = models.DateTimeField(null=True, help_text="as it is after the change")
    note = models.TextField(blank=True)
    key = models.CharField(max_length=120, blank=True, help_text="of the form that it was sent with; empty: none")

    class Meta:
        indexes = [models.Index(fields=["hazard", "id"]), models.Index(fields=["event", "at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["hazard", "key"], condition=~models.Q(key=""), name="one_hazard_change_a_form"
            )
        ]


class Photo(models.Model):
    """A picture by its content, re-encoded and without what the camera wrote into it except time and place. Append-only."""

    hazard = models.ForeignKey(Hazard, models.PROTECT, null=True, related_name="photos")
    change = models.ForeignKey(HazardChange, models.PROTECT, null=True, related_name="photos")
    check_in = models.ForeignKey("hazards.CheckIn", models.PROTECT, null=True, related_name="photos")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the picture as it is kept")
    width = models.IntegerField()
    height = models.IntegerField()
    size = models.IntegerField(help_text="bytes")
    taken_at = models.DateTimeField(null=True, help_text="as the camera says")
    longitude = models.FloatField(null=True)
    latitude = models.FloatField(null=True)
    added_by = models.CharField(max_length=120)
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(hazard__isnull=False) | models.Q(check_in__isnull=False), name="photo_of_something"
            ),
            models.UniqueConstraint(fields=["hazard", "digest"], name="hazard_photo_once"),
            models.UniqueConstraint(fields=["check_in", "digest"], name="check_in_photo_once"),
        ]
