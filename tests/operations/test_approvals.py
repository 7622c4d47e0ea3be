"""Four eyes cannot be got round: the same person twice, a changed content, a direct write, a token."""

import pytest
from django.db import IntegrityError, transaction

from nuan.operations.approvals import (
    ContentChangedError,
    NotApprovedError,
    NotInChargeError,
    PersonNeededError,
    SamePersonError,
    decide,
    propose,
    require,
)
from nuan.records.accounts.models import ApiToken, Role, User
from nuan.records.billing.models import Decision, Proposal

HASH, OTHER = "a" * 64, "b" * 64
pytestmark = pytest.mark.usefixtures("city")


def person(name: str) -> User:
    return User.objects.get(username=name)


@pytest.fixture
def other(city: None) -> User:
    return User.objects.create(username="郑主管", role=Role.FINANCE, company_id="C01")


def proposed(by: str = "周会计", content: str = HASH) -> Proposal:
    return propose(kind="bill_run", subject="bill_run:1", company="C01", content_hash=content, by=person(by))


def done(content: str = HASH) -> Proposal:
    return require(kind="bill_run", subject="bill_run:1", content_hash=content)


def test_one_proposes_another_approves(other: User) -> None:
    with pytest.raises(NotApprovedError, match="提请"):
        done()
    asked = proposed()
    assert proposed() == asked, "asked twice is asked once"
    with pytest.raises(NotApprovedError, match="另一人"):
        done()
    decide(asked, by=other, seen_hash=HASH, content_hash=HASH)
    assert done() == asked


def test_the_same_person_twice(other: User) -> None:
    with pytest.raises(SamePersonError):
        decide(proposed(), by=person("周会计"), seen_hash=HASH, content_hash=HASH)
    with pytest.raises(NotApprovedError):
        done()


def test_a_content_changed_before_or_after_the_approval(other: User) -> None:
    asked = proposed()
    with pytest.raises(ContentChangedError):
        decide(asked, by=other, seen_hash=HASH, content_hash=OTHER)
    with pytest.raises(ContentChangedError):
        decide(asked, by=other, seen_hash=OTHER, content_hash=OTHER)
    decide(asked, by=other, seen_hash=HASH, content_hash=HASH)
    with pytest.raises(ContentChangedError):
        done(OTHER)
    proposed(content=OTHER)
    with pytest.raises(ContentChangedError):
        done(HASH)
    with pytest.raises(NotApprovedError, match="更新"):
        decide(asked, by=other, seen_hash=HASH, content_hash=HASH)


@pytest.mark.parametrize("name", ["小李", "乌主任", "外人", "王阿姨"])
def test_people_who_are_not_in_charge(name: str) -> None:
    asked = proposed()
    with pytest.raises(NotInChargeError):
        decide(asked, by=person(name), seen_hash=HASH, content_hash=HASH)
    with pytest.raises(NotInChargeError):
        proposed(by=name)


def test_a_token_is_no_person() -> None:
    token = ApiToken.objects.create(name="财务接口", digest="d" * 64, role=Role.FINANCE, company_id="C01")
    with pytest.raises(PersonNeededError):
        decide(proposed(), by=token, seen_hash=HASH, content_hash=HASH)  # type: ignore[arg-type]
    with pytest.raises(PersonNeededError):
        propose(kind="bill_run", subject="x", company="C01", content_hash=HASH, by=token)  # type: ignore[arg-type]


def test_a_rejected_proposal_stays_so_until_it_is_proposed_anew(other: User) -> None:
    asked = proposed()
    decide(asked, by=other, seen_hash=HASH, content_hash=HASH, approve=False, why="单价不对")
    with pytest.raises(NotApprovedError, match="退回"):
        done()
    again = proposed()
    assert again != asked
    decide(again, by=other, seen_hash=HASH, content_hash=HASH)
    assert done() == again


@pytest.mark.parametrize(
    ("who", "content", "said"),
    [("周会计", HASH, "does not decide"), ("郑主管", OTHER, "another content"), ("离职", HASH, "not active")],
)
def test_the_database_refuses_a_direct_write(other: User, who: str, content: str, said: str) -> None:
    User.objects.create(username="离职", role=Role.FINANCE, company_id="C01", is_active=False)
    asked = proposed()
    with pytest.raises(IntegrityError, match=said), transaction.atomic():
        Decision.objects.create(proposal=asked, answer="approved", content_hash=content, decided_by=person(who))


def test_decisions_are_not_edited(other: User) -> None:
    asked = proposed()
    decide(asked, by=other, seen_hash=HASH, content_hash=HASH, approve=False)
    for rows in (Decision.objects.filter(proposal=asked), Proposal.objects.filter(pk=asked.pk)):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            rows.update(content_hash=OTHER)


def test_two_approvers_where_two_are_needed(other: User) -> None:
    asked = propose(kind="refund_batch", subject="r:1", company="C01", content_hash=HASH, by=person("周会计"), needed=2)
    decide(asked, by=other, seen_hash=HASH, content_hash=HASH)
    with pytest.raises(NotApprovedError):
        require(kind="refund_batch", subject="r:1", content_hash=HASH)
    with pytest.raises(NotApprovedError, match="已经"):
        decide(asked, by=other, seen_hash=HASH, content_hash=HASH)
    decide(asked, by=person("刘科"), seen_hash=HASH, content_hash=HASH)
    assert require(kind="refund_batch", subject="r:1", content_hash=HASH) == asked
