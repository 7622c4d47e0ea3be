"""A network's tables lie as a file named by their SHA-256 under NUAN_HOME/network; here stands who brought which when, and what counts now.

Versions and valve positions are only ever added. Runs are machine state: replaced, and made again from version, positions and readings.
"""

from django.db import models


class NetworkVersion(models.Model):
    """管网版本: one imported network of one company. The one in force is the last imported of those whose `valid_from` has come."""

    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="networks")
    number = models.IntegerField(help_text="1, 2, … of the company")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the tables as our own JSON")
    name = models.CharField(max_length=120, blank=True)
    source = models.CharField(max_length=200, help_text="name of the file it came from")
    valid_from = models.DateTimeField()
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=120)
    findings = models.JSONField(default=list, help_text="what the checks found and let pass")
    pipes = models.IntegerField()
    valves = models.IntegerField()
    stations = models.IntegerField()
    sources = models.IntegerField()
    length_m = models.FloatField()
    placed = models.IntegerField(help_text="stations whose registry place is known")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "number"], name="network_number_once")]
        indexes = [models.Index(fields=["company", "-number"])]


class NetworkPlace(models.Model):
    """Which registry place a substation of a version feeds: a station, a building or a home."""

    version = models.ForeignKey(NetworkVersion, models.PROTECT, related_name="places")
    substation = models.CharField(max_length=80)
    level = models.CharField(max_length=12, help_text="substation, building or home")
    code = models.CharField(max_length=48)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "substation"], name="one_place_of_a_substation")]
        indexes = [models.Index(fields=["code"])]


class ValvePosition(models.Model):
    """阀门状态: somebody says a valve is open or closed since a moment. The newest row by `since` counts. Append-only."""

    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="valve_positions")
    valve = models.CharField(max_length=80)
    is_open = models.BooleanField()
    since = models.DateTimeField()
    reason = models.TextField()
    recorded_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="a_valve_is_turned_for_a_reason"),
        ]
        indexes = [models.Index(fields=["company", "valve", "-since", "-id"])]


class ProtectedSite(models.Model):
    """特殊保障单位: a hospital, school or care home in a building; never left cold without somebody knowing."""

    class Kind(models.TextChoices):
        HOSPITAL = "hospital", "医院"
        SCHOOL = "school", "学校"
        KINDERGARTEN = "kindergarten", "幼儿园"
        CARE_HOME = "care_home", "养老院"
        WELFARE = "welfare", "福利机构"
        OTHER = "other", "其他"

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    building = models.ForeignKey("registry.Building", models.PROTECT, related_name="protected_sites")
    heat_kw = models.FloatField(null=True, help_text="what it needs on the design day; null: not known")
    own_heat = models.BooleanField(default=False, help_text="has a standby source of its own")
    until = models.DateField(null=True, help_text="protected up to this day; null: still")


class NetworkRun(models.Model):
    """One hour of a company's network as computed; its arrays lie under NUAN_HOME/network/states."""

    company = models.ForeignKey("registry.Company", models.CASCADE, related_name="network_runs")
    version = models.ForeignKey(NetworkVersion, models.PROTECT, related_name="runs")
    at = models.DateTimeField(help_text="the moment that the values stand for")
    computed_at = models.DateTimeField()
    outdoor_c = models.FloatField(null=True)
    settled = models.BooleanField()
    why = models.TextField(blank=True, help_text="why nothing could be computed")
    measured = models.IntegerField(default=0, help_text="stations whose heat was measured and fresh")
    modelled = models.IntegerField(default=0, help_text="stations whose heat follows from the weather")
    short = models.IntegerField(default=0, help_text="stations that get too little")
    worst_station = models.CharField(max_length=80, blank=True)
    worst_dp_bar = models.FloatField(null=True)
    heat_kw = models.FloatField(null=True, help_text="given by all sources")
    make_up_kg_per_s = models.FloatField(null=True)
    residuals = models.JSONField(default=list, help_text="measured minus computed, a row a point")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "at"], name="one_network_run_of_a_moment")]
        indexes = [models.Index(fields=["company", "-at"])]
