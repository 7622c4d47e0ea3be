"""The life of a hazard as one table: from, event, to, who may, what has to be written. Picture, documentation and tests come from it.

>>> after(State.RECTIFIED, Event.PASS)
<State.CLOSED: 'closed'>
>>> after(State.REPORTED, Event.PASS) is None
True
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    REPORTED = "reported"
    CONFIRMED = "confirmed"
    RECTIFYING = "rectifying"
    RECTIFIED = "rectified"
    CLOSED = "closed"
    REJECTED = "rejected"

    @property
    def zh(self) -> str:
        return _STATE_ZH[self]


class Event(StrEnum):
    REPORT = "report"
    CONFIRM = "confirm"
    REJECT = "reject"
    START = "start"
    RECTIFY = "rectify"
    PASS = "pass"
    FAIL = "fail"
    ASSIGN = "assign"
    GRADE = "grade"
    EXTEND = "extend"
    NOTE = "note"
    ESCALATE = "escalate"

    @property
    def zh(self) -> str:
        return _EVENT_ZH[self]


_STATE_ZH = {
    State.REPORTED: "待定级", State.CONFIRMED: "待整改", State.RECTIFYING: "整改中", State.RECTIFIED: "待复查",
    State.CLOSED: "已销号", State.REJECTED: "不属隐患",
}  # fmt: skip
_EVENT_ZH = {
    Event.REPORT: "上报", Event.CONFIRM: "定级派人", Event.REJECT: "认定不属隐患", Event.START: "开始整改", Event.RECTIFY: "整改完成",
    Event.PASS: "复查通过,销号", Event.FAIL: "复查不通过,退回", Event.ASSIGN: "换责任人", Event.GRADE: "改定级别", Event.EXTEND: "延长期限",
    Event.NOTE: "补充说明", Event.ESCALATE: "升级上报",
}  # fmt: skip

BUREAUS: Final = frozenset({"banner", "city"})
DECIDERS: Final = BUREAUS | {"dispatch"}
WORKERS: Final = frozenset({"crew", "dispatch"})
REPORTERS: Final = BUREAUS | {"dispatch", "crew", "desk"}
OPEN: Final = (State.REPORTED, State.CONFIRMED, State.RECTIFYING, State.RECTIFIED)
TO_RECTIFY: Final = (State.CONFIRMED, State.RECTIFYING)
"""In these a deadline runs."""


@dataclass(frozen=True, slots=True)
class Step:
    """`needs` names what has to be given beside the note; `another`: by nobody who rectified it or was responsible for it."""

    start: State
    event: Event
    end: State
    roles: frozenset[str]
    needs: tuple[str, ...] = ()
    another: bool = False


S, E = State, Event


def _staying(event: Event, states: tuple[State, ...], roles: frozenset[str], needs: tuple[str, ...]) -> Iterator[Step]:
    for state in states:
        yield Step(state, event, state, roles, needs)


STEPS: Final[tuple[Step, ...]] = (
    Step(S.REPORTED, E.CONFIRM, S.CONFIRMED, DECIDERS, ("level", "responsible", "deadline")),
    Step(S.REPORTED, E.REJECT, S.REJECTED, DECIDERS, ("note",)),
    Step(S.CONFIRMED, E.START, S.RECTIFYING, WORKERS),
    Step(S.RECTIFYING, E.RECTIFY, S.RECTIFIED, WORKERS, ("note",)),
    Step(S.RECTIFIED, E.PASS, S.CLOSED, REPORTERS - {"desk"}, ("note",), another=True),
    Step(S.RECTIFIED, E.FAIL, S.RECTIFYING, REPORTERS - {"desk"}, ("note",), another=True),
    *_staying(E.ASSIGN, TO_RECTIFY, DECIDERS, ("responsible",)),
    *_staying(E.GRADE, TO_RECTIFY, DECIDERS, ("level", "note")),
    *_staying(E.EXTEND, TO_RECTIFY, BUREAUS, ("deadline", "note")),
    *_staying(E.NOTE, OPEN, REPORTERS, ("note",)),
)
TABLE: Final = {(step.start, step.event): step for step in STEPS}


def after(state: State, event: Event) -> State | None:
    """The state after it; None where the event means nothing."""
    step = TABLE.get((state, event))
    return None if step is None else step.end


def steps_from(state: State, role: str) -> list[Step]:
    """What somebody of the role may do next, in the order of the table; whether it must be another person is asked elsewhere."""
    return [step for step in STEPS if step.start == state and role in step.roles]


def diagram() -> str:
    """The table as a Mermaid state diagram for docs/hazards.md; events that keep the state are left to the table."""
    lines = ["stateDiagram-v2", f"    [*] --> {S.REPORTED}: {E.REPORT.zh}"]
    lines += [f"    {step.start} --> {step.end}: {step.event.zh}" for step in STEPS if step.start != step.end]
    lines += [f"    {S.CLOSED} --> [*]", f"    {S.REJECTED} --> [*]", *(f"    {state}: {state.zh}" for state in State)]
    return "\n".join(lines)


def table() -> str:
    """All rows as Markdown."""
    rows = [
        f"| {step.start.zh} | {step.event.zh} `{step.event}` | {step.end.zh} | {' '.join(sorted(step.roles))} | {' '.join(step.needs) or '—'} "
        f"| {'另一人' if step.another else ''} |"
        for step in STEPS
    ]
    return "\n".join(["| 状态 | 事件 | 之后 | 谁可以 | 要写明 | |", "|---|---|---|---|---|---|", *rows])


def in_document(text: str) -> str:
    """docs/hazards.md with picture and table as they are now."""
    for name, made in (("diagram", f"```mermaid\n{diagram()}\n```"), ("table", table())):
        start, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
        text = text[: text.index(start) + len(start)] + made + text[text.index(end) :]
    return text
