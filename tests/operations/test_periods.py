"""A month is closed by two people who saw the same books."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, transaction

from billed_city import bill_everybody, person, prepare
from nuan.operations.approvals import ContentChangedError, NotApprovedError, SamePersonError
from nuan.operations.ledger import account, post
from nuan.operations.periods import PeriodError, approve_close, period_hash, propose_close

NOW = datetime(2025, 11, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def billed(city: None) -> None:
    prepare()
    bill_everybody()


def book(key: str) -> None:
    legs = [(account("C01", "cash"), 1), (account("C01", "suspense"), -1)]
    post(key=key, kind="payment", on=date(2025, 10, 30), postings=legs, actor="周会计")


def test_closed_by_two_and_never_again_open() -> None:
    asked = propose_close("C01", "2025-10", by=person("周会计"), now=NOW)
    with pytest.raises(SamePersonError):
        approve_close("C01", "2025-10", by=person("周会计"), seen_hash=asked.content_hash)
    closed = approve_close("C01", "2025-10", by=person("郑主管"), seen_hash=asked.content_hash)
    assert (closed.closed_by, closed.approved_by) == ("周会计", "郑主管")
    with pytest.raises(IntegrityError, match="is closed"), transaction.atomic():
        book("late")
    with pytest.raises(PeriodError, match="已经结账"):
        propose_close("C01", "2025-10", by=person("周会计"), now=NOW)


def test_what_was_booked_after_the_proposal_refuses_it() -> None:
    asked = propose_close("C01", "2025-10", by=person("周会计"), now=NOW)
    book("in between")
    assert period_hash("C01", "2025-10") != asked.content_hash
    with pytest.raises(ContentChangedError):
        approve_close("C01", "2025-10", by=person("郑主管"), seen_hash=asked.content_hash)


def test_months_that_cannot_be_closed() -> None:
    with pytest.raises(PeriodError, match="没有过完"):
        propose_close("C01", "2025-11", by=person("周会计"), now=NOW)
    with pytest.raises(PeriodError, match="不是月份"):
        propose_close("C01", "2025-13", by=person("周会计"), now=NOW)
    with pytest.raises(NotApprovedError):
        approve_close("C01", "2025-10", by=person("郑主管"), seen_hash="x")
