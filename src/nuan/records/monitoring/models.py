"""Live points, alarms and who was told, and the quality of each day's data.

Live values, pendings and quality days are machine state: replaced, and made again from the readings. Alarms change by the engine and by
acts only, and every change of one is a row of `AlarmChange` that nothing edits.
"""

from django.db import models


class LivePoint(models.Model):
    """测点: one series as the registry places it. Company, station and source are repeated here because every question asks for them."""

    place = models.CharField(max_length=48)
    quantity = models.CharField(max_length=32)
    position = models.CharField(max_length=24)
    level = models.CharField(max_length=12, blank=True, help_text="of the place; empty: no such place in the registry")
    company_code = models.CharField(max_length=24, blank=True)
    banner_code = models.CharField(max_length=12, blank=True)
    source_code = models.CharField(max_length=24, blank=True)
    station_code = models.CharField(max_length=32, blank=True)
    building_code = models.CharField(max_length=40, blank=True)
    gateway_code = models.CharField(max_length=48, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "quantity", "position"], name="one_live_point")]
        indexes = [
            models.Index(fields=["station_code", "level"]),
            models.Index(fields=["company_code", "level", "quantity"]),
            models.Index(fields=["banner_code", "level", "quantity"]),
        ]


class LiveValue(models.Model):
    """The newest values of a point, apart from its names so that a hundred thousand of them update in a moment.

    Nothing but the key is indexed and the pages of the table are kept half empty: an update stays on its page. Times are epoch seconds;
    null = there was no such reading. Values are fixed-point in the resolution of the quantity.
    """

    point = models.OneToOneField(LivePoint, models.CASCADE, primary_key=True, related_name="live")
    any_time_s = models.BigIntegerField(help_text="newest reading of all, trusted or not")
    any_arrival_s = models.BigIntegerField()
    any_value = models.IntegerField()
    any_flags = models.SmallIntegerField(default=0)
    time_s = models.BigIntegerField(null=True, help_text="newest trusted reading")
    arrival_s = models.BigIntegerField(null=True)
    value = models.IntegerField(null=True)
    flags = models.SmallIntegerField(default=0)
    before_time_s = models.BigIntegerField(null=True, help_text="the trusted reading before the newest")
    before_value = models.IntegerField(null=True)


class TrendSample(models.Model):
    """One of the last samples of a point whose rate of change is watched (`telemetry.alarms.trend`). Machine state."""

    point = models.ForeignKey(LivePoint, models.CASCADE, related_name="+", db_index=False)
    time_s = models.BigIntegerField()
    value = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["point", "time_s"], name="one_trend_sample")]


class AlarmDefinition(models.Model):
    """A change of the shipped table of alarm definitions: for the whole city, a company, or one place. The closest one counts.

    The whole definition stands in `values`, so that a later edition of the shipped table does not change what somebody has set.
    """

    code = models.CharField(max_length=40)
    company_code = models.CharField(max_length=24, blank=True)
    place = models.CharField(max_length=48, blank=True)
    values = models.JSONField()
    reason = models.TextField()
    changed_by = models.CharField(max_length=120)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "company_code", "place"], name="one_definition_for_a_place")
        ]


class AlarmPending(models.Model):
    """A condition that holds and has not yet lasted its delay: what the engine needs to go on after it was killed."""

    code = models.CharField(max_length=40)
    place = models.CharField(max_length=48)
    quantity = models.CharField(max_length=32, blank=True)
    position = models.CharField(max_length=24, blank=True)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "place", "quantity", "position"], name="one_pending_condition")
        ]


class Alarm(models.Model):
    """告警: two bits that know nothing of each other (active or cleared, acknowledged or not); closed when it is cleared and acknowledged.

    `limit_*` and the words are the definition's at the moment of raising. `parent`: it is folded under the alarm of an outage.
    """

    class Priority(models.IntegerChoices):
        CRITICAL = 1, "紧急"
        HIGH = 2, "重要"
        MEDIUM = 3, "一般"
        LOW = 4, "提示"

    code = models.CharField(max_length=40, help_text="of the definition")
    kind = models.CharField(max_length=12)
    priority = models.SmallIntegerField(choices=Priority.choices)
    words_zh = models.CharField(max_length=200)
    words_en = models.CharField(max_length=200)
    level = models.CharField(max_length=12)
    place = models.CharField(max_length=48)
    quantity = models.CharField(max_length=32, blank=True)
    position = models.CharField(max_length=24, blank=True)
    point = models.ForeignKey(LivePoint, models.SET_NULL, null=True, related_name="alarms")
    company_code = models.CharField(max_length=24, blank=True)
    banner_code = models.CharField(max_length=12, blank=True)
    source_code = models.CharField(max_length=24, blank=True)
    station_code = models.CharField(max_length=32, blank=True)
    limit_on = models.BigIntegerField(help_text="fixed-point of the quantity, or seconds")
    limit_off = models.BigIntegerField()
    value = models.BigIntegerField(null=True, help_text="at raising; fixed-point of the quantity, or seconds")
    active = models.BooleanField(default=True)
    acknowledged = models.BooleanField(default=False)
    since = models.DateTimeField(help_text="when the condition began to hold")
    raised_at = models.DateTimeField()
    clearing_since = models.DateTimeField(
        null=True, help_text="the condition is gone, and has to stay away for its delay"
    )
    cleared_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=120, blank=True)
    comment = models.TextField(blank=True)
    shelved_until = models.DateTimeField(null=True)
    shelved_by = models.CharField(max_length=120, blank=True)
    shelved_why = models.TextField(blank=True)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children")
    escalation_step = models.SmallIntegerField(default=0)
    escalated_to = models.CharField(max_length=60, blank=True)
    told_at = models.DateTimeField(null=True, help_text="from here the minutes to the next escalation count")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code", "place", "quantity", "position"],
                condition=models.Q(closed_at=None),
                name="one_open_alarm",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None) | models.Q(active=False), name="a_closed_alarm_is_cleared"
            ),
            models.CheckConstraint(
                condition=models.Q(shelved_until=None) | ~models.Q(shelved_why=""), name="shelved_with_a_reason"
            ),
        ]
        indexes = [
            models.Index(
                fields=["company_code", "priority"], condition=models.Q(closed_at=None), name="open_alarms_of_company"
            ),
            models.Index(fields=["parent"], condition=models.Q(closed_at=None), name="open_alarms_folded"),
            models.Index(fields=["-raised_at"]),
            models.Index(fields=["place", "-raised_at"]),
        ]


class AlarmChange(models.Model):
    """One change of an alarm: who (a person, or the engine), what, from which state to which, at which value. Append-only."""

    alarm = models.ForeignKey(Alarm, models.PROTECT, related_name="changes")
    at = models.DateTimeField()
    actor = models.CharField(max_length=120)
    event = models.CharField(max_length=16)
    state_from = models.CharField(max_length=12)
    state_to = models.CharField(max_length=12)
    value = models.BigIntegerField(null=True)
    note = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["alarm", "id"]), models.Index(fields=["event", "at"])]


class NoticeRoute(models.Model):
    """Who is told how: an address of a channel, for a role in one company or banner (empty: in the whole city), from a priority on."""

    channel = models.CharField(max_length=12)
    address = models.CharField(max_length=200)
    role = models.CharField(max_length=12)
    place_code = models.CharField(max_length=24, blank=True, help_text="company or banner; empty: the city")
    least_priority = models.SmallIntegerField(default=2, help_text="told of this priority and of more urgent ones")
    added_by = models.CharField(max_length=120)
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "address", "role", "place_code"], name="one_notice_route")
        ]


class Notice(models.Model):
    """发件箱: something that somebody has to be told. Detecting writes it, telling sends it; a receiver knows a repetition by `key`."""

    class State(models.TextChoices):
        PENDING = "pending", "待发"
        SENT = "sent", "已发"
        DEAD = "dead", "未发出"

    key = models.CharField(max_length=80, unique=True, help_text="idempotency key: one event, one route")
    alarm = models.ForeignKey(Alarm, models.CASCADE, null=True, related_name="notices")
    event = models.CharField(max_length=16)
    channel = models.CharField(max_length=12)
    address = models.CharField(max_length=200)
    role = models.CharField(max_length=12)
    company_code = models.CharField(max_length=24, blank=True)
    content = models.JSONField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.SmallIntegerField(default=0)
    next_try_at = models.DateTimeField(
        help_text="also the end of a claim: who claims a notice and dies leaves it until then"
    )
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], condition=models.Q(state="pending"), name="notices_to_send"),
            models.Index(fields=["company_code", "-id"]),
        ]


class QualityDay(models.Model):
    """数据质量: one local day of one company (and gateway; empty: all), made again from the readings at will."""

    day = models.DateField()
    company_code = models.CharField(max_length=24)
    gateway_code = models.CharField(max_length=48, blank=True)
    points = models.IntegerField(help_text="points that were known")
    silent_points = models.IntegerField(help_text="points without any reading on the day")
    expected_hours = models.BigIntegerField(help_text="point-hours up to the moment of computing")
    covered_hours = models.BigIntegerField(help_text="point-hours with a trusted reading")
    readings = models.BigIntegerField()
    flagged = models.JSONField(default=dict, help_text="readings by flag")
    lateness = models.JSONField(
        default=dict, help_text="readings by how late they came; empty where arrival was not kept"
    )
    newest_s = models.BigIntegerField(null=True, help_text="newest event time, epoch seconds")
    newest_arrival_s = models.BigIntegerField(null=True)
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "company_code", "gateway_code"], name="one_quality_day")]


class Suggestion(models.Model):
    """像是接错了或换过表: what readings suggest about wiring, units or a counter. Open ones are made again from the readings; a dismissal
    is a person's act and outlasts them while `evidence` (what stays the same when it is seen again) does not change."""

    class Kind(models.TextChoices):
        UNIT = "unit_mistaken", "单位可能有误"
        SWAPPED = "swapped_pipes", "供回水可能接反"
        RESET = "counter_reset", "计数器清零"
        ROLL_OVER = "roll_over", "计数器翻转"
        EXCHANGED = "exchanged", "可能换过表"

    class State(models.TextChoices):
        OPEN = "open", "待核对"
        DISMISSED = "dismissed", "已排除"

    place = models.CharField(max_length=48)
    level = models.CharField(max_length=12)
    company_code = models.CharField(max_length=24)
    banner_code = models.CharField(max_length=12)
    quantity = models.CharField(max_length=32)
    position = models.CharField(max_length=24)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    evidence = models.CharField(max_length=200)
    evidence_zh = models.CharField(max_length=300)
    evidence_en = models.CharField(max_length=300)
    remedy_zh = models.CharField(max_length=300)
    remedy_en = models.CharField(max_length=300)
    happened = models.BooleanField(help_text="an event of a moment; else a state that is told while it lasts")
    since = models.DateTimeField(help_text="when it happened, or the first reading that showed it")
    computed_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    dismissed_by = models.CharField(max_length=120, blank=True)
    dismissed_at = models.DateTimeField(null=True)
    why = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["place", "quantity", "position", "kind", "evidence"], name="one_suggestion"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="dismissed")
                | (~models.Q(why="") & ~models.Q(dismissed_by="") & models.Q(dismissed_at__isnull=False)),
                name="suggestion_dismissed_with_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["state", "company_code", "-since"])]
