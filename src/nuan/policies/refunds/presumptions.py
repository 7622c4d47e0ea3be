"""What a formal measurement says under a pack: passed, failed, or nobody can say; and at which temperature.

Absences become verdicts here: who did not come, refused, did not sign or kept no record. A third party's test needs no
signature of the two sides. A pack that is silent on a presumption (null) makes such a measurement unclear, never passed.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from nuan.policies.refunds.columns import PURPOSES, UNKNOWN, Bool, Int64, Measurements, by_home_and_time
from nuan.policies.refunds.law import RefundLaw
from nuan.terms.places import CHINA_OFFSET_S, DAY_S, HOUR_S

PASSED, PRESUMED_PASS, FAILED, UNCLEAR = range(4)
RETEST = PURPOSES.index("retest")


COLUMNS = (
    "home", "room", "room_area_m2_100", "requested_s", "time_s", "verdict", "temp_sum", "temp_n", "purpose", "row",
)  # fmt: skip


class Outcomes:
    """One row a test (a reading, or a session where the law takes a mean), sorted by home and time.

    `temp_sum / temp_n` is the temperature in 0.01 °C, exactly; `temp_n` 0 = none known. Columns are gathered when they are
    asked for: most rules read few of them, and a gather over millions of rows costs more than the rule.
    """

    __slots__ = ("_columns", "_gathered", "_rows")

    def __init__(self, columns: Mapping[str, Int64], rows: Int64 | None = None) -> None:
        self._columns, self._rows = columns, rows
        self._gathered: dict[str, Int64] = {}

    def __len__(self) -> int:
        return len(self._columns["home"] if self._rows is None else self._rows)

    def column(self, name: str) -> Int64:
        if name == "row" and name not in self._columns:
            return np.arange(len(self), dtype=np.int64) if self._rows is None else self._rows
        if self._rows is None:
            return self._columns[name]
        if name not in self._gathered:
            self._gathered[name] = self._columns[name][self._rows]
        return self._gathered[name]

    @property
    def home(self) -> Int64:
        return self.column("home")

    @property
    def room(self) -> Int64:
        return self.column("room")

    @property
    def room_area_m2_100(self) -> Int64:
        return self.column("room_area_m2_100")

    @property
    def requested_s(self) -> Int64:
        return self.column("requested_s")

    @property
    def time_s(self) -> Int64:
        return self.column("time_s")

    @property
    def verdict(self) -> Int64:
        return self.column("verdict")

    @property
    def temp_sum(self) -> Int64:
        return self.column("temp_sum")

    @property
    def temp_n(self) -> Int64:
        return self.column("temp_n")

    @property
    def purpose(self) -> Int64:
        return self.column("purpose")

    @property
    def row(self) -> Int64:
        return self.column("row")

    @property
    def day(self) -> Int64:
        if "day" not in self._gathered:
            self._gathered["day"] = np.asarray((self.time_s + CHINA_OFFSET_S) // DAY_S)
        return self._gathered["day"]

    def take(self, rows: Int64 | Bool) -> "Outcomes":
        picked = np.flatnonzero(rows) if rows.dtype == np.bool_ else np.asarray(rows, dtype=np.int64)
        return Outcomes(self._columns, picked if self._rows is None else self._rows[picked])

    @staticmethod
    def joined(parts: Sequence["Outcomes"]) -> "Outcomes":
        return Outcomes({name: np.concatenate([part.column(name) for part in parts]) for name in COLUMNS})


def outcomes(given: Measurements, law: RefundLaw) -> Outcomes:
    """Tests with their verdicts. `row` is the measurement (of a session: its last) that the test rests on.

    A test is held against the law of the day on which it was taken; a session, of the day of its first reading.
    """
    if law.later:
        governing = law.piece_of(_begun_s(given, law))
        parts = []
        for i, piece in enumerate(law.pieces):
            rows = np.flatnonzero(governing == i)
            own = outcomes(
                Measurements(*(getattr(given, name)[rows] for name in Measurements.__dataclass_fields__)), piece
            )
            parts.append(Outcomes({name: own.column(name) for name in COLUMNS} | {"row": rows[own.row]}))
        found = Outcomes.joined(parts)
        order = by_home_and_time(found.home, found.time_s)
        return found if order is None else found.take(order)
    verdict, temp_sum, temp_n = _single(given, law)
    time_s = given.time_s
    requested = given.requested_s
    if len(requested) and int(requested.min()) == UNKNOWN:
        requested = np.where(requested == UNKNOWN, time_s, requested)
    found = Outcomes(
        {
            "home": given.home,
            "room": given.room,
            "room_area_m2_100": given.room_area_m2_100,
            "requested_s": requested,
            "time_s": time_s,
            "verdict": verdict,
            "temp_sum": temp_sum,
            "temp_n": temp_n,
            "purpose": given.purpose,
        }
    )
    if law.aggregate == "mean" and law.session_days > 1:
        found = _sessions(found, given, law)
    order = by_home_and_time(found.home, found.time_s)
    return found if order is None else found.take(order)


def _begun_s(given: Measurements, law: RefundLaw) -> Int64:
    """When each measurement was taken; within a session that some piece of the law takes a mean of, its first reading."""
    time_s = given.time_s
    if not len(time_s) or not any(piece.aggregate == "mean" and piece.session_days > 1 for piece in law.pieces):
        return time_s
    keys = np.stack([given.home, given.room, given.requested_s, given.purpose], axis=1)
    _, session = np.unique(keys, axis=0, return_inverse=True)
    session = session.reshape(-1)
    first = np.full(int(session.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, session, time_s)
    return np.asarray(first[session])


def _single(given: Measurements, law: RefundLaw) -> tuple[Int64, Int64, Int64]:
    """Later rules override earlier ones; a test that two presumptions pull apart is unclear."""
    taken = given.temp_c100 != UNKNOWN
    all_taken = bool(taken.all())
    temp_sum = given.temp_c100 if all_taken else np.where(taken, given.temp_c100, 0)
    temp_n = taken.astype(np.int64)
    if law.min_temp_c100 is None:
        verdict = np.full(len(given), UNCLEAR, np.int64)
    else:
        verdict = np.where(given.temp_c100 >= law.min_temp_c100, PASSED, FAILED)
        verdict = verdict if all_taken else np.where(taken, verdict, UNCLEAR)
    ours = ~given.third_party
    applied = np.zeros(len(given), np.int64)
    cases = (
        ("measure.user_refuses", given.user_refused & ~taken, True),
        ("measure.company_absent", given.company_absent & ~taken, True),
        ("measure.user_unsigned", taken & ~given.signed_user & ours, False),
        ("measure.company_unsigned", taken & ~given.signed_company & ours, False),
        ("measure.company_no_record", given.no_record & ours, False),
    )
    for key, mask, must_speak in cases:
        if not mask.any():
            continue
        rule = law.presumptions[key]
        if rule is None:
            if must_speak:
                verdict = np.where(mask, UNCLEAR, verdict)
            continue
        said = PRESUMED_PASS if rule == "pass" else FAILED
        torn = mask & (applied > 0) & (verdict != said)
        verdict = np.where(mask, said, verdict)
        verdict = np.where(torn, UNCLEAR, verdict)
        applied = applied + mask
        if rule.startswith("below:"):
            temp_sum = np.where(mask, int(float(rule.removeprefix("below:")) * 100) - 1, temp_sum)
            temp_n = np.where(mask, 1, temp_n)
        elif rule == "fail":
            temp_sum, temp_n = np.where(mask, 0, temp_sum), np.where(mask, 0, temp_n)
    return verdict, temp_sum, temp_n


def _sessions(single: Outcomes, given: Measurements, law: RefundLaw) -> Outcomes:
    """Readings of one home, room and request become one test at their mean; too few days or slots leave it unclear.

    Retests stand alone where they do not fill a session of their own: the law prescribes no protocol for them.
    Readings outside the prescribed hours do not count towards a slot and are left out of the mean.
    """
    assert law.min_temp_c100 is not None
    plain = (given.temp_c100 != UNKNOWN) & (single.temp_n > 0) & (single.verdict != PRESUMED_PASS)
    rows = np.flatnonzero(plain)
    if not len(rows):
        return single
    part = single.take(rows)
    hour = (part.time_s + CHINA_OFFSET_S) % DAY_S
    low, high = law.session_hours
    in_hours = (hour >= low * HOUR_S) & (hour <= high * HOUR_S)
    keys = np.stack([part.home, part.room, part.requested_s, part.purpose], axis=1)
    _, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.reshape(-1)
    sessions = int(group.max()) + 1
    order = np.lexsort((part.time_s, group))
    last = order[np.append(np.flatnonzero(np.diff(group[order])), len(order) - 1)]
    total = np.zeros(sessions, np.int64)
    number = np.zeros(sessions, np.int64)
    np.add.at(total, group[in_hours], part.temp_sum[in_hours])
    np.add.at(number, group[in_hours], 1)
    day = part.day
    pairs, slots = np.unique(np.stack([group[in_hours], day[in_hours]], axis=1), axis=0, return_counts=True)
    full = pairs[slots >= law.session_slots]
    full_days = np.bincount(full[:, 0], minlength=sessions) if len(full) else np.zeros(sessions, np.int64)
    complete = (full_days >= law.session_days) & _consecutive(full, sessions, law.session_days)
    mean = part.take(last)
    verdict = np.where(total >= law.min_temp_c100 * number, PASSED, FAILED)
    whole = Outcomes(
        {name: mean.column(name) for name in COLUMNS}
        | {"verdict": np.where(complete, verdict, UNCLEAR), "temp_sum": total, "temp_n": number}
    )
    alone = (whole.purpose == RETEST) & ~complete
    loose = part.take(alone[group])
    rest = single.take(~plain)
    return Outcomes.joined([whole.take(~alone), loose, rest])


def _consecutive(full: Int64, sessions: int, days: int) -> Bool:
    """Whether a session has `days` full days in a row (`full`: session and day, sorted)."""
    found = np.zeros(sessions, np.bool_)
    if len(full) >= days:
        ahead, behind = full[days - 1 :], full[: len(full) - days + 1]
        run = (ahead[:, 0] == behind[:, 0]) & (ahead[:, 1] - behind[:, 1] == days - 1)
        found[ahead[run, 0]] = True
    return found
