"""What was planted against what was judged: one line for every kind of event."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from django.db.models import Q

from nuan.buildings.sample_city import Planted
from nuan.records.registry.models import Home
from nuan.records.supervision.models import CurrentJudgement, Judgement

BREACHED = Judgement.Verdict.BREACHED
UNDECIDABLE = Judgement.Verdict.UNDECIDABLE
_HOMES_BELOW = {
    "source": "substation__source_id",
    "substation": "substation_id",
    "loop": "building__loop_id",
    "building": "building_id",
    "home": "code",
}
KIND_ZH = {
    "source_failure": "最冷一周热源停运 31 小时",
    "outage": "超过 24 小时或原因未查明的停热",
    "late_start": "晚供热",
    "early_stop": "提前停热",
    "throttling": "压低供水温度（限热）",
    "over_heating": "过量供热",
    "cold_top_floor": "顶层住户长期偏冷",
    "fuel_short": "燃料储备降到 15 天以下",
    "no_vehicle": "旗区没有移动应急热源车",
    "month_refund": "30 日内 3 次测温不达标",
}


@dataclass(frozen=True)
class Found:
    """How many planted events of a kind a clause had to find, and found; `missed` names the places."""

    kind: str
    clause: str
    planted: int
    found: int
    zh: str
    missed: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return self.found == self.planted

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def compare(truth: Sequence[Planted], as_of_s: int) -> list[Found]:
    """Events that had not begun by `as_of_s` are left out."""
    groups: dict[tuple[str, str], list[Planted]] = defaultdict(list)
    for planted in truth:
        for clause in planted.clauses:
            if planted.end_s <= as_of_s:
                groups[planted.kind, clause].append(planted)
    lines = []
    for (kind, clause), events in groups.items():
        missed = [event.place for event in events if not _noticed(clause, event)]
        lines.append(Found(kind, clause, len(events), len(events) - len(missed), KIND_ZH[kind], missed[:20]))
    return lines


def _noticed(clause: str, event: Planted) -> bool:
    """Whether a current judgement of the clause says what it must about the place."""
    current = CurrentJudgement.objects.filter(clause=clause)
    if clause in {"2.5.2", "2.5.3a"}:
        homes = Home.objects.filter(**{_HOMES_BELOW[event.level]: event.place}, contracts__stop_heat=False)
        below = current.filter(subject_level="home", subject__in=homes.values("code"))
        if clause == "2.5.2":
            return below.filter(verdict=BREACHED).exists()
        wanted = UNDECIDABLE if event.facts["refund"] == "undecidable" else BREACHED
        return below.filter(item__contains=event.facts["outage_id"], verdict=wanted).exists()
    return current.filter(subject=event.place, verdict=BREACHED).exists()


def beyond(truth: Sequence[Planted]) -> dict[str, list[str]]:
    """Subjects that a clause found at fault although nothing was planted there, by clause; empty when all is well."""
    found: dict[str, list[str]] = {}
    for clause, level in (("2.5", "substation"), ("2.4.2a", "source"), ("2.6.1", "banner"), ("2.5.3b", "home")):
        planted = {event.place for event in truth if clause in event.clauses}
        found[clause] = sorted(_breached(clause, level) - planted)
    cold = [event for event in truth if event.rooms_until_s > event.start_s or event.clauses == ("2.5.3b",)]
    found["2.5.2"] = sorted(_breached("2.5.2", "home") - _homes_below([e for e in cold if e.kind != "over_heating"]))
    cut = [event for event in truth if event.facts.get("refund") == "yes"]
    found["2.5.3a"] = sorted(_breached("2.5.3a", "home") - _homes_below(cut))
    return {clause: subjects[:20] for clause, subjects in found.items() if subjects}


def _breached(clause: str, level: str) -> set[str]:
    rows = CurrentJudgement.objects.filter(clause=clause, subject_level=level, verdict=BREACHED)
    return set(rows.values_list("subject", flat=True))


def _homes_below(events: Sequence[Planted]) -> set[str]:
    places: dict[str, list[str]] = defaultdict(list)
    for event in events:
        places[_HOMES_BELOW[event.level]].append(event.place)
    any_of = Q(pk__in=[])
    for column, codes in places.items():
        any_of |= Q(**{f"{column}__in": codes})
    return set(Home.objects.filter(any_of).values_list("code", flat=True))
