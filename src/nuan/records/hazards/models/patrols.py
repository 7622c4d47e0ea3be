"""巡线: routes with their points, a round (轮次) for each stretch of days in which a route has to be walked, check-ins at the points.

What is due is reckoned from the route (`nuan.policies.patrols.rounds`) and never stored; a `PatrolWalk` says who walks a round.
"""

from django.db import models


class PointKind(models.TextChoices):
    SUBSTATION = "substation", "换热站"
    CHAMBER = "chamber", "检查井"
    PIPE = "pipe", "管段"
    VALVE = "valve", "阀门"
    BUILDING = "building", "楼栋"
    SOURCE = "source", "热源"
    OTHER = "other", "其他"


class PatrolRoute(models.Model):
    """To be walked once in every `every_days` days from `starts_on`. Neither changes once it was walked: a new plan is a new route."""

    class When(models.TextChoices):
        SEASON = "season", "供暖季"
        YEAR = "year", "全年"

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=120)
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="patrol_routes")
    banner = models.ForeignKey("registry.Banner", models.PROTECT, related_name="patrol_routes")
    every_days = models.IntegerField()
    when = models.CharField(max_length=8, choices=When.choices, default=When.SEASON)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="last day; empty: goes on")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(every_days__gte=1), name="patrol_every_day_or_less")]

    def __str__(self) -> str:
        return self.name


class PatrolPoint(models.Model):
    """Counts in rounds that begin on or after `since` and end by `until`."""

    route = models.ForeignKey(PatrolRoute, models.PROTECT, related_name="points")
    number = models.IntegerField()
    kind = models.CharField(max_length=12, choices=PointKind.choices, default=PointKind.OTHER)
    place_code = models.CharField(max_length=48, blank=True)
    name = models.CharField(max_length=120)
    look_at = models.CharField("看什么", max_length=200, blank=True)
    longitude = models.FloatField(null=True)
    latitude = models.FloatField(null=True)
    since = models.DateField(null=True, blank=True)
    until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["route", "number"], name="one_patrol_point")]
        ordering = ["number"]


class PatrolWalk(models.Model):
    """A round of a route that somebody was sent on or began."""

    route = models.ForeignKey(PatrolRoute, models.PROTECT, related_name="walks")
    starts_on = models.DateField(help_text="first day of the round")
    walker = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="patrol_walks")
    assigned_by = models.CharField(max_length=120)
    assigned_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["route", "starts_on"], name="one_walk_a_round")]


class CheckIn(models.Model):
    """Somebody stood at a point and looked. Append-only; the first of a point in a round counts."""

    class Finding(models.TextChoices):
        WELL = "well", "正常"
        HAZARD = "hazard", "发现隐患"

    walk = models.ForeignKey(PatrolWalk, models.PROTECT, related_name="check_ins")
    point = models.ForeignKey(PatrolPoint, models.PROTECT, related_name="check_ins")
    at = models.DateTimeField(help_text="when the phone says it was; never later than it arrived")
    arrived_at = models.DateTimeField()
    by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    finding = models.CharField(max_length=8, choices=Finding.choices)
    note = models.CharField(max_length=500, blank=True)
    longitude = models.FloatField(null=True)
    latitude = models.FloatField(null=True)
    accuracy_m = models.IntegerField(null=True)
    where_words = models.CharField(max_length=200, blank=True, help_text="where there is no position")
    key = models.CharField(max_length=120, unique=True)
    hazard = models.ForeignKey("hazards.Hazard", models.PROTECT, null=True, related_name="check_ins")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["walk", "point"], name="one_check_in_a_point")]
