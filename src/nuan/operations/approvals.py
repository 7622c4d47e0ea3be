"""Four eyes: one person proposes, another decides, and what is then done is exactly what both saw.

The content's hash goes with the proposal, is looked at again when the other person decides, and again when it is done. A token stands
for an organisation and not for a person, so it neither proposes nor decides. The database holds the same rules (billing 0004).
"""

from collections.abc import Mapping
from typing import Any

from nuan.operations.acts import act
from nuan.records.accounts.models import Role, User
from nuan.records.billing.models import Decision, Proposal


class ApprovalError(ValueError):
    """Why something is not approved, or may not be by this person."""


class PersonNeededError(ApprovalError):
    def __init__(self) -> None:
        super().__init__("只有登录的人可以提出或审批；接口令牌不行 / a person has to decide, not a token")


class SamePersonError(ApprovalError):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} 提出的事项须由另一人审批 / whoever proposed it may not decide on it")


class NotInChargeError(ApprovalError):
    def __init__(self, name: str, company: str | None) -> None:
        super().__init__(
            f"{name} 不是{f'企业 {company} 的财务' if company else '市级主管部门人员'}，不能提出或审批这一事项"
        )


class ContentChangedError(ApprovalError):
    def __init__(self, subject: str) -> None:
        super().__init__(
            f"{subject} 的内容与提请审批时不同；请重新提请 / the content has changed since it was proposed"
        )


class NotApprovedError(ApprovalError):
    def __init__(self, subject: str, said: str) -> None:
        super().__init__(f"{subject} {said}")


def in_charge(by: object, company: str | None) -> User:
    """Finance of the company, or the city. Raises PersonNeededError and NotInChargeError."""
    if not isinstance(by, User) or not by.pk:
        raise PersonNeededError
    finance = company is not None and by.role == Role.FINANCE and by.company_id == company
    if not by.is_active or not (finance or by.role == Role.CITY):
        raise NotInChargeError(by.username, company)
    return by


def propose(
    *, kind: str, subject: str, company: str | None, content_hash: str, by: User, summary: Mapping[str, Any] | None = None,
    needed: int = 1,
) -> Proposal:  # fmt: skip
    """Ask another person to agree to exactly this content; the same proposal by the same person again is the one that is there."""
    person = in_charge(by, company)
    last = newest(kind, subject)
    same = last is not None and last.content_hash == content_hash and last.proposed_by_id == person.pk
    if last is not None and same and standing(last) != Decision.Answer.REJECTED:
        return last
    with act(f"propose_{kind}", actor=person.username, subject=subject, details={"content": content_hash}):
        return Proposal.objects.create(
            kind=kind, subject=subject, company_id=company, content_hash=content_hash, summary=dict(summary or {}),
            needed=needed, proposed_by=person,
        )  # fmt: skip


def decide(
    proposal: Proposal, *, by: User, seen_hash: str, content_hash: str, approve: bool = True, why: str = ""
) -> Decision:
    """`seen_hash`: of what the person had before their eyes; `content_hash`: of the content as it is now.

    Raises PersonNeededError, NotInChargeError, SamePersonError, ContentChangedError, and NotApprovedError where a newer proposal
    stands or this one is decided.
    """
    person = in_charge(by, proposal.company_id)
    if person.pk == proposal.proposed_by_id:
        raise SamePersonError(person.username)
    if newest(proposal.kind, proposal.subject) != proposal:
        raise NotApprovedError(proposal.subject, "已有更新的提请")
    if not (seen_hash == proposal.content_hash == content_hash):
        raise ContentChangedError(proposal.subject)
    if standing(proposal) == Decision.Answer.REJECTED or proposal.decisions.filter(decided_by=person).exists():
        raise NotApprovedError(proposal.subject, "已经作出决定")
    answer = Decision.Answer.APPROVED if approve else Decision.Answer.REJECTED
    with act(f"decide_{proposal.kind}", actor=person.username, subject=proposal.subject, why=why) as row:
        row.details = {"answer": str(answer), "content": seen_hash, "proposed_by": proposal.proposed_by.username}
        return Decision.objects.create(
            proposal=proposal, answer=answer, content_hash=seen_hash, why=why.strip(), decided_by=person
        )


def newest(kind: str, subject: str) -> Proposal | None:
    return Proposal.objects.filter(kind=kind, subject=subject).order_by("-id").first()


def standing(proposal: Proposal) -> str:
    """`approved`, `rejected`, or empty while others still have to decide."""
    answers = list(proposal.decisions.values_list("answer", flat=True))
    if Decision.Answer.REJECTED in answers:
        return str(Decision.Answer.REJECTED)
    return str(Decision.Answer.APPROVED) if len(answers) >= proposal.needed else ""


def require(*, kind: str, subject: str, content_hash: str) -> Proposal:
    """The approved proposal of exactly this content, or NotApprovedError and ContentChangedError: asked right before it is done."""
    proposal = newest(kind, subject)
    if proposal is None:
        raise NotApprovedError(subject, "还没有提请审批 / has not been proposed")
    if proposal.content_hash != content_hash:
        raise ContentChangedError(subject)
    said = standing(proposal)
    if said != Decision.Answer.APPROVED:
        raise NotApprovedError(
            subject, "已被退回 / was rejected" if said else "尚未经另一人审批 / waits for another person"
        )
    return proposal
