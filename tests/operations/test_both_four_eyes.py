"""Four eyes are two mechanisms (decision 37) and one protection: the same attacks on a company's money and on a banner's fund."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from nuan.operations import approvals
from nuan.operations.approvals import ApprovalError
from nuan.operations.support_funds import FundError, decide_fund_application, spend_fund, state_of
from nuan.records.accounts.models import ApiToken, Role, User
from nuan.records.billing.models import Decision, Proposal
from nuan.records.support.models import Asset, FundApplication, FundDecision, FundMovement

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("support_rows")]
HASH, ON = "a" * 64, date(2026, 1, 21)
REFUSED = (ApprovalError, FundError)


def person(name: str, role: str, **place: str) -> User:
    found, _ = User.objects.get_or_create(username=name, defaults={"display_name": name, "role": role} | place)
    return found


class Books:
    """A company's money: one proposes, one other agrees."""

    def __init__(self) -> None:
        self.asker = person("周会计", Role.FINANCE)
        self.deciders = [person("郑主管", Role.FINANCE, company_id="C01")]
        self.strangers = [person("吴会计", Role.FINANCE, company_id="C02"), User.objects.get(username="乌主任")]
        self.proposal = approvals.propose(
            kind="bill_run", subject="bill_run:1", company="C01", content_hash=HASH, by=self.asker
        )

    def agree(self, by: object) -> None:
        approvals.decide(self.proposal, by=by, seen_hash=HASH, content_hash=HASH)  # type: ignore[arg-type]

    def change(self) -> None:
        approvals.propose(kind="bill_run", subject="bill_run:1", company="C01", content_hash="b" * 64, by=self.asker)

    def do(self) -> None:
        approvals.require(kind="bill_run", subject="bill_run:1", content_hash="b" * 64)

    def past_the_code(self) -> None:
        Decision.objects.create(proposal=self.proposal, answer="approved", content_hash=HASH, decided_by=self.asker)

    def decided(self) -> int:
        return Decision.objects.count()


class Fund:
    """A banner's fund: a company asks, two officials agree."""

    def __init__(self) -> None:
        self.application = FundApplication.objects.get(company="C01")
        self.asker = self.application.applied_by
        self.deciders = [User.objects.get(username="乌主任"), User.objects.get(username="刘科")]
        self.strangers = [
            person("康主任", Role.BANNER, banner_id="150603"),
            person("郑主管", Role.FINANCE, company_id="C01"),
        ]

    def agree(self, by: object) -> None:
        decide_fund_application(self.application, by=by, approve=True, why="同意")  # type: ignore[arg-type]

    def change(self) -> None:
        Asset.objects.filter(pk=self.application.asset_id).update(position="inside")

    def do(self) -> None:
        spend_fund(code="Z-9", application=self.application, amount_fen=100, on=ON, reference="", actor="刘科")

    def past_the_code(self) -> None:
        FundDecision.objects.create(application=self.application, answer="approved", decided_by=self.asker)

    def decided(self) -> int:
        return FundDecision.objects.count()


@pytest.fixture(params=[Books, Fund], ids=["books", "fund"])
def eyes(request: pytest.FixtureRequest) -> Books | Fund:
    made: Callable[[], Books | Fund] = request.param
    return made()


def test_whoever_asked_does_not_agree(eyes: Books | Fund) -> None:
    with pytest.raises(REFUSED):
        eyes.agree(eyes.asker)
    assert eyes.decided() == 0


def test_nobody_agrees_twice(eyes: Books | Fund) -> None:
    eyes.agree(eyes.deciders[0])
    with pytest.raises(REFUSED):
        eyes.agree(eyes.deciders[0])
    assert eyes.decided() == 1


def test_nobody_of_another_place_or_office_agrees(eyes: Books | Fund) -> None:
    for stranger in eyes.strangers:
        with pytest.raises(REFUSED):
            eyes.agree(stranger)
    assert eyes.decided() == 0


def test_a_token_is_not_a_person(eyes: Books | Fund) -> None:
    for nobody in (ApiToken(role=Role.CITY), ApiToken(role=Role.FINANCE, company_id="C01"), "刘科", None):
        with pytest.raises(REFUSED):
            eyes.agree(nobody)
    assert eyes.decided() == 0


def test_nothing_is_done_before_enough_have_agreed(eyes: Books | Fund) -> None:
    with pytest.raises(REFUSED):
        eyes.do()
    for one in eyes.deciders[:-1]:
        eyes.agree(one)
    with pytest.raises(REFUSED):
        eyes.do()


def test_what_changes_after_the_yes_is_not_done(eyes: Books | Fund) -> None:
    for one in eyes.deciders:
        eyes.agree(one)
    eyes.change()
    with pytest.raises(REFUSED):
        eyes.do()
    assert not FundMovement.objects.filter(kind="spending").exists()


def checked(write: Callable[[], None]) -> None:
    write()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_database_refuses_what_goes_past_the_code(eyes: Books | Fund) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        checked(eyes.past_the_code)
    assert eyes.decided() == 0


def test_an_application_stays_what_was_asked_for(eyes: Books | Fund) -> None:
    if isinstance(eyes, Fund):
        with pytest.raises(DatabaseError), transaction.atomic():
            FundApplication.objects.filter(pk=eyes.application.pk).update(amount_fen=1)
        assert state_of(eyes.application) == "waiting"
    else:
        with pytest.raises(DatabaseError), transaction.atomic():
            Proposal.objects.filter(pk=eyes.proposal.pk).update(content_hash="c" * 64)
