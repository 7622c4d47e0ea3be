"""What finance does about a bill: adjust, cancel, hold because of a dispute. Looked at first, then written, and written once.

An adjustment and a cancellation cannot be undone, so the first button only shows the document that would be made; the second asks another
person for it and sends along how many documents the person had before their eyes: with another number by then nothing is asked.
"""

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import Http404
from django.utils import timezone

from nuan.operations.approvals import ApprovalError
from nuan.operations.bill_changes import propose_change, waiting_change
from nuan.operations.bill_documents import (
    DocumentError,
    NewLine,
    SeenOtherwiseError,
    adjusted_fen,
    documents_so_far,
    mirror,
    standing_fen,
)
from nuan.operations.ledger import NoGroundError
from nuan.operations.overdue import HoldError, open_hold, place_hold, release_hold
from nuan.policies.tariffs.working import LABELS
from nuan.records.accounts.models import Role
from nuan.records.billing.models import Bill
from nuan.web.forms import AnswerError, fen_of, needed
from nuan.web.guard import Visit
from nuan.web.wording import pick, said_by, say

LONGEST = 14
"""Letters of an amount: more is no heating bill, and does not fit the ledger."""


@dataclass
class Looked:
    """The document as it would be: its lines, and what the bill comes to before and after."""

    act: str
    why: str
    lines: list[NewLine]
    before_fen: int
    seen: int
    amount: str = ""
    way: str = ""

    @property
    def total_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)

    @property
    def after_fen(self) -> int:
        return self.before_fen + self.total_fen

    @property
    def rows(self) -> list[tuple[str, NewLine]]:
        return [(pick(*LABELS[line.kind]) if line.kind in LABELS else line.kind, line) for line in self.lines]


@dataclass
class Answer:
    """What became of a form: something to look at, a sentence of refusal, or done."""

    looked: Looked | None = None
    error: str = ""
    done: bool = False
    form: dict[str, str] = field(default_factory=dict)


def may_act(request: Visit, bill: Bill) -> bool:
    """Finance of the bill's company; others look."""
    return request.role == Role.FINANCE and bill.kind == Bill.Kind.BILL


def forms_of(request: Visit, bill: Bill) -> dict[str, Any]:
    """The hold that stands, for everybody; whether the forms are shown, for finance."""
    return {"hold": open_hold(bill.home), "may_act": may_act(request, bill)}


def answer(request: Visit, bill: Bill) -> Answer:
    """Read a form and do what it asks. Whoever may not act finds no such address."""
    if not may_act(request, bill):
        raise Http404
    asked = {name: request.POST.get(name, "").strip() for name in ("act", "step", "why", "amount", "way", "seen")}
    try:
        if asked["act"] in {"adjust", "cancel"}:
            return _document(request, bill, asked)
        if asked["act"] in {"hold", "release"}:
            return _hold(request, bill, asked)
    except (AnswerError, ApprovalError, DocumentError, NoGroundError, HoldError) as refused:
        return Answer(error=said_by(refused), form=asked)
    except IntegrityError:
        return Answer(error=say("今天的账已经封存,或这个月已经结账,没有写入。"), form=asked)
    raise Http404


def _document(request: Visit, bill: Bill, asked: dict[str, str]) -> Answer:
    why = needed(request, "why", say("理由"))[:200]
    if asked["act"] == "adjust":
        lines = [NewLine("adjustment", _amount(asked), why)]
        adjusted_fen(bill, lines)
    else:
        lines = mirror(bill)
    if asked["step"] != "save":
        seen = documents_so_far(bill)
        looked = Looked(asked["act"], why, lines, standing_fen(bill), seen, asked["amount"], asked["way"])
        return Answer(looked=looked)
    if not asked["seen"].isdecimal() or len(asked["seen"]) > LONGEST:
        raise AnswerError(say("请先看会出一张什么单据,再确认。"))
    if int(asked["seen"]) != documents_so_far(bill):
        raise SeenOtherwiseError(bill.number)
    if waiting_change(bill) is not None:
        raise AnswerError(say("已经有一项更正在等另一人审批。"))
    propose_change(bill, lines if asked["act"] == "adjust" else [], why=why, by=request.user)
    messages.success(request, say("已提请,等另一人审批。"))
    return Answer(done=True)


def _amount(asked: dict[str, str]) -> int:
    """Fen, signed by whether the person said more or less; a sign in the field itself is not taken."""
    if asked["way"] not in {"more", "less"}:
        raise AnswerError(say("请选多收还是少收。"))
    fen = 0 if len(asked["amount"]) > LONGEST else fen_of(asked["amount"])
    if fen <= 0:
        raise AnswerError(say("金额要大于零;少收请选“少收”。"))
    return fen if asked["way"] == "more" else -fen


def _hold(request: Visit, bill: Bill, asked: dict[str, str]) -> Answer:
    why, today, actor = needed(request, "why", say("理由")), timezone.localdate(), request.user.get_username()
    if asked["act"] == "hold":
        place_hold(bill.home, reason=why[:1000], since=today, actor=actor)
        messages.success(request, say("从今天起不催缴、不计违约金。"))
        return Answer(done=True)
    hold = open_hold(bill.home)
    if hold is None:
        raise HoldError("这次暂停已经解除 / this hold was lifted before")
    release_hold(hold, until=today, actor=actor, why=why[:1000])
    messages.success(request, say("已解除暂停;从明天起照常催缴、计违约金。"))
    return Answer(done=True)
