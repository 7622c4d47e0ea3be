"""The life of an alarm as one table: `(state, event) → state, effects`. Diagram, documentation and tests come from it.

Active or cleared, and acknowledged or not, are two bits that know nothing of each other; their four values and “no alarm” are the states.
An event that is not in the table changes nothing, so a second click and a repeated tick are harmless. An alarm that is shelved or folded
lives on and is not told.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    NONE = "none"
    RAISED = "raised"
    STANDING = "standing"
    PASSED = "passed"
    CLOSED = "closed"

    @property
    def zh(self) -> str:
        return _STATE_ZH[self]

    @property
    def active(self) -> bool:
        return self in {State.RAISED, State.STANDING}

    @property
    def acknowledged(self) -> bool:
        return self in {State.STANDING, State.CLOSED}


_STATE_ZH = {
    State.NONE: "无告警", State.RAISED: "告警中·未确认", State.STANDING: "告警中·已确认", State.PASSED: "已恢复·未确认",
    State.CLOSED: "已恢复·已确认",
}  # fmt: skip


class Event(StrEnum):
    RAISE = "raise"
    CLEAR = "clear"
    CLEAR_FOLDED = "clear_folded"
    ACKNOWLEDGE = "acknowledge"
    FOLD = "fold"
    UNFOLD = "unfold"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    SHELF_ENDS = "shelf_ends"
    ESCALATE = "escalate"
    WITHDRAW = "withdraw"

    @property
    def zh(self) -> str:
        return _EVENT_ZH[self]


_EVENT_ZH = {
    Event.RAISE: "触发", Event.CLEAR: "恢复", Event.CLEAR_FOLDED: "随上级恢复", Event.ACKNOWLEDGE: "确认", Event.FOLD: "归并到上级告警",
    Event.UNFOLD: "从上级告警中显出", Event.SHELVE: "搁置", Event.UNSHELVE: "取消搁置", Event.SHELF_ENDS: "搁置到期",
    Event.ESCALATE: "升级通知", Event.WITHDRAW: "不再监视",
}  # fmt: skip


class Effect(StrEnum):
    OPEN = "open"
    CLOSE = "close"
    TELL = "tell"


S, E, F = State, Event, Effect
TRANSITIONS: Final[Mapping[tuple[State, Event], tuple[State, tuple[Effect, ...]]]] = {
    (S.NONE, E.RAISE): (S.RAISED, (F.OPEN, F.TELL)),
    (S.PASSED, E.RAISE): (S.RAISED, (F.TELL,)),
    (S.RAISED, E.CLEAR): (S.PASSED, ()),
    (S.STANDING, E.CLEAR): (S.CLOSED, (F.CLOSE,)),
    (S.RAISED, E.CLEAR_FOLDED): (S.CLOSED, (F.CLOSE,)),
    (S.STANDING, E.CLEAR_FOLDED): (S.CLOSED, (F.CLOSE,)),
    (S.RAISED, E.ACKNOWLEDGE): (S.STANDING, ()),
    (S.PASSED, E.ACKNOWLEDGE): (S.CLOSED, (F.CLOSE,)),
    (S.RAISED, E.FOLD): (S.RAISED, ()),
    (S.STANDING, E.FOLD): (S.STANDING, ()),
    (S.RAISED, E.UNFOLD): (S.RAISED, (F.TELL,)),
    (S.STANDING, E.UNFOLD): (S.STANDING, ()),
    (S.RAISED, E.SHELVE): (S.RAISED, ()),
    (S.STANDING, E.SHELVE): (S.STANDING, ()),
    (S.PASSED, E.SHELVE): (S.PASSED, ()),
    (S.RAISED, E.UNSHELVE): (S.RAISED, (F.TELL,)),
    (S.STANDING, E.UNSHELVE): (S.STANDING, ()),
    (S.PASSED, E.UNSHELVE): (S.PASSED, ()),
    (S.RAISED, E.SHELF_ENDS): (S.RAISED, (F.TELL,)),
    (S.STANDING, E.SHELF_ENDS): (S.STANDING, ()),
    (S.PASSED, E.SHELF_ENDS): (S.PASSED, ()),
    (S.RAISED, E.ESCALATE): (S.RAISED, (F.TELL,)),
    (S.RAISED, E.WITHDRAW): (S.CLOSED, (F.CLOSE,)),
    (S.STANDING, E.WITHDRAW): (S.CLOSED, (F.CLOSE,)),
}
BY_THE_ENGINE: Final = frozenset(E) - {E.ACKNOWLEDGE, E.SHELVE, E.UNSHELVE}


def state_of(active: bool, acknowledged: bool) -> State:
    """The state that two bits stand for."""
    if active:
        return State.STANDING if acknowledged else State.RAISED
    return State.CLOSED if acknowledged else State.PASSED


def after(state: State, event: Event, *, hushed: bool = False) -> tuple[State, tuple[Effect, ...]] | None:
    """The next state and what has to be done; None: the event means nothing in this state. `hushed`: shelved or folded, so not told.

    >>> after(State.RAISED, Event.ACKNOWLEDGE)
    (<State.STANDING: 'standing'>, ())
    >>> after(State.STANDING, Event.ACKNOWLEDGE) is None
    True
    """
    found = TRANSITIONS.get((state, event))
    if found is None or not hushed:
        return found
    return found[0], tuple(effect for effect in found[1] if effect is not Effect.TELL)


def diagram() -> str:
    """The table as a Mermaid state diagram, as docs/alarms.md shows it; events that keep the state are left to the table."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.RAISED}: {Event.RAISE.zh}"]
    for (state, event), (to, _) in TRANSITIONS.items():
        if state != to and state is not State.NONE:
            lines.append(f"    {state} --> {to}: {event.zh}")
    lines += [
        f"    {State.CLOSED} --> [*]",
        *(f"    {state}: {state.zh}" for state in State if state is not State.NONE),
    ]
    return "\n".join(lines)


def table() -> str:
    """All rows as Markdown."""
    rows = [
        f"| {state.zh} | {event.zh} `{event}` | {to.zh} | {'、'.join(_EFFECT_ZH[e] for e in effects) or '—'} | {'引擎' if event in BY_THE_ENGINE else '人'} |"
        for (state, event), (to, effects) in TRANSITIONS.items()
    ]
    return "\n".join(["| 状态 | 事件 | 之后 | 效果 | 由谁 |", "|---|---|---|---|---|", *rows])


_EFFECT_ZH = {Effect.OPEN: "新建告警", Effect.CLOSE: "结束", Effect.TELL: "通知"}


def in_document(text: str) -> str:
    """docs/alarms.md with picture and table as they are now."""
    for name, made in (("diagram", f"```mermaid\n{diagram()}\n```"), ("table", table())):
        start, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
        text = text[: text.index(start) + len(start)] + made + text[text.index(end) :]
    return text
