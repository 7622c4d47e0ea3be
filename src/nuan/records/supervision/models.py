"""Runs, judgements and what the pages read. Nothing here is computed in a request."""

from django.db import models


class Run(models.Model):
    """One judging of a season. Buckets of homes are its unit of work; a killed run goes on where it stopped."""

    class State(models.TextChoices):
        RUNNING = "running", "进行中"
        DONE = "done", "完成"
        STOPPED = "stopped", "中断"

    id = models.BigAutoField(primary_key=True)
    season = models.CharField(max_length=9)
    as_of = models.DateTimeField(help_text="judged with what was known up to here")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    rules_fingerprint = models.CharField(max_length=64)
    manifest_hash = models.CharField(max_length=64)
    registry_hash = models.CharField(max_length=64)
    store_offset = models.BigIntegerField(default=0)
    homes = models.IntegerField(default=0)
    packs = models.JSONField(default=dict, help_text="jurisdiction pack by banner, with its version")
    summary = models.JSONField(default=dict, help_text="the figures of the run's report")


class RunBucket(models.Model):
    """A finished piece of a run: written in the same transaction as its judgements.

    `inputs_hash` covers all but the readings; those are known up to `store_offset`. Equal hash and no reading since: nothing to do.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="buckets")
    bucket = models.CharField(max_length=40)
    inputs_hash = models.CharField(max_length=64)
    store_offset = models.BigIntegerField(default=0)
    homes = models.IntegerField(default=0, help_text="judged again in this run")
    written = models.IntegerField(default=0, help_text="judgements that came out otherwise than before")
    finished_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "bucket"], name="bucket_once_a_run")]
        indexes = [models.Index(fields=["bucket", "-id"])]


class Judgement(models.Model):
    """One clause, one subject, one period: append-only (a trigger refuses UPDATE and DELETE).

    A later run that comes to another result adds a row; `CurrentJudgement` points to the newest.
    """

    class Verdict(models.TextChoices):
        MET = "met", "达标"
        BREACHED = "breached", "不达标"
        UNDECIDABLE = "undecidable", "无法判定"

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, models.PROTECT, related_name="judgements")
    clause = models.CharField(max_length=12)
    subject_level = models.CharField(max_length=12, help_text="home, substation, source, company, banner")
    subject = models.CharField(max_length=48)
    item = models.CharField(
        max_length=60, default="", help_text="outage id, first day of the window, or the season's key"
    )
    company_code = models.CharField(max_length=24, blank=True)
    banner_code = models.CharField(max_length=12, blank=True)
    period_start = models.BigIntegerField(help_text="epoch seconds")
    period_end = models.BigIntegerField()
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    why = models.CharField(max_length=60, blank=True, help_text="code of the reason where undecidable")
    value = models.BigIntegerField(null=True)
    threshold = models.BigIntegerField(null=True)
    unit = models.CharField(max_length=24, blank=True, help_text="of value and threshold, e.g. 0.01 °C, s, day_10")
    amount_fen = models.BigIntegerField(null=True)
    branch = models.CharField(max_length=60)
    pack = models.CharField(max_length=60)
    pack_version = models.CharField(max_length=64)
    facts = models.JSONField(default=dict, help_text="references to and figures of the facts used")
    digest = models.CharField(max_length=64, help_text="of the result; equal results are not written again")

    class Meta:
        indexes = [
            models.Index(fields=["clause", "subject"]),
            models.Index(fields=["subject", "clause"]),
        ]


class CurrentJudgement(models.Model):
    """The newest judgement of a clause on a subject, item and season."""

    clause = models.CharField(max_length=12)
    subject_level = models.CharField(max_length=12)
    subject = models.CharField(max_length=48)
    item = models.CharField(
        max_length=60, help_text="distinguishes several of one clause and subject: outage id, window start, season"
    )
    season = models.CharField(max_length=9, default="", db_default="")
    judgement = models.ForeignKey(Judgement, models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=12)
    company_code = models.CharField(max_length=24, blank=True)
    banner_code = models.CharField(max_length=12, blank=True)
    amount_fen = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clause", "subject_level", "subject", "item", "season"], name="one_current_judgement"
            )
        ]
        indexes = [
            models.Index(fields=["clause", "verdict", "company_code"]),
            models.Index(fields=["clause", "verdict", "banner_code"]),
            models.Index(fields=["subject", "clause"]),
        ]


class BoardCell(models.Model):
    """Clause × banner or company, as the board shows it."""

    class Colour(models.TextChoices):
        GREEN = "green", "达标"
        AMBER = "amber", "需关注"
        RED = "red", "不达标"
        GREY = "grey", "暂无判定"

    clause = models.CharField(max_length=12)
    column_level = models.CharField(max_length=8, help_text="banner, company or city")
    column = models.CharField(max_length=24)
    colour = models.CharField(max_length=6, choices=Colour.choices)
    number = models.CharField(max_length=60, help_text="the headline figure, in words")
    met = models.BigIntegerField(default=0)
    breached = models.BigIntegerField(default=0)
    undecidable = models.BigIntegerField(default=0)
    amount_fen = models.BigIntegerField(default=0)
    computed_at = models.DateTimeField()
    run = models.ForeignKey(Run, models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clause", "column_level", "column"], name="one_board_cell")]


class HomeSeason(models.Model):
    """A home's season at a glance, from its home-days; the city-today page and the map read it.

    `days` is two bits a day (0 not due, 1 met, 2 breached, 3 undecidable), little-endian, first day first.
    """

    home = models.ForeignKey("registry.Home", models.CASCADE)
    season = models.CharField(max_length=9)
    days = models.BinaryField()
    days_met = models.IntegerField()
    days_breached = models.IntegerField()
    days_undecidable = models.IntegerField()
    hours_below = models.IntegerField()
    longest_below_h = models.IntegerField()
    min_c100 = models.IntegerField(null=True)
    mean_c100 = models.IntegerField(null=True)
    first_day = models.SmallIntegerField(help_text="verdict code of the first day")
    last_day = models.SmallIntegerField()
    last_temp_c100 = models.IntegerField(null=True, help_text="newest trusted room temperature (coldest room)")
    last_time_s = models.BigIntegerField(null=True)
    threshold_c100 = models.IntegerField(null=True, help_text="what the place owed this home; null = 未载明")
    run = models.ForeignKey(Run, models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["home", "season"], name="one_home_season")]
        indexes = [
            models.Index(fields=["season", "last_temp_c100"]),
            models.Index(fields=["season", "-days_breached"]),
        ]

    @property
    def has_readings(self) -> bool:
        """Without any, the counts of hours are zero because nobody could count: no page shows them."""
        return self.min_c100 is not None


class PlaceNow(models.Model):
    """How many homes are cold now, and were in the season, by place; a stale or missing reading is never counted as warm."""

    season = models.CharField(max_length=9)
    level = models.CharField(max_length=12, help_text="city, banner, company or substation")
    code = models.CharField(max_length=32, blank=True)
    homes = models.IntegerField(help_text="homes that are owed heat")
    cold = models.IntegerField()
    warm = models.IntegerField()
    unknown = models.IntegerField(help_text="no reading, or one too old to say anything about now")
    coldest_c100 = models.IntegerField(null=True)
    newest_s = models.BigIntegerField(null=True, help_text="newest reading, epoch seconds")
    oldest_s = models.BigIntegerField(null=True, help_text="oldest among the homes' newest readings")
    homes_breached = models.IntegerField(
        default=0, help_text="homes with a day below the standard in the season so far"
    )
    mean_c100 = models.IntegerField(null=True, help_text="mean of the homes' season means")
    computed_at = models.DateTimeField()
    run = models.ForeignKey(Run, models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["season", "level", "code"], name="one_place_now")]


class SignedInterpretation(models.Model):
    """解释口径: how an open point of the text is decided here, by whom and from when. Signed anew, never edited."""

    key = models.CharField(max_length=60)
    option = models.CharField(max_length=60)
    pack = models.CharField(max_length=60)
    valid_from = models.DateField()
    signed_by = models.CharField(max_length=120)
    signed_on = models.DateField()
    reason = models.TextField()


class ReadingsImport(models.Model):
    """A file that was taken in whole. Its digest makes the same file, twice, change nothing."""

    digest = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    rows = models.BigIntegerField()
    readings = models.BigIntegerField()
    flagged = models.BigIntegerField()
    journal_offset = models.BigIntegerField()
    imported_at = models.DateTimeField(auto_now_add=True)


class Measurement(models.Model):
    """测温记录: a formal measurement, kept apart from wall sensors. Append-only."""

    code = models.CharField(max_length=40, unique=True)
    home = models.ForeignKey("registry.Home", models.PROTECT, related_name="measurements")
    room = models.CharField(max_length=20, default="living")
    room_area_m2_100 = models.BigIntegerField(null=True)
    requested_at = models.DateTimeField(null=True)
    measured_at = models.DateTimeField(null=True)
    temp_c100 = models.IntegerField(null=True)
    method = models.CharField(max_length=40, blank=True)
    instrument = models.CharField(max_length=60, blank=True)
    signed_user = models.BooleanField(default=False)
    signed_company = models.BooleanField(default=False)
    user_refused = models.BooleanField(default=False)
    company_absent = models.BooleanField(default=False)
    no_record = models.BooleanField(default=False, help_text="the company kept no record of the test")
    third_party = models.BooleanField(default=False)
    purpose = models.CharField(max_length=12, default="complaint")


class FuelDay(models.Model):
    """燃料日报 of one heat source, in 0.001 t."""

    source = models.ForeignKey("registry.HeatSource", models.PROTECT, related_name="fuel_days")
    day = models.DateField()
    stock_t1000 = models.BigIntegerField(null=True)
    burn_t1000 = models.BigIntegerField(null=True)
    arriving_t1000 = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "day"], name="one_fuel_report_a_day")]
