"""Two officials pay one household at the same moment: together they never pay more than is owed. A control shows that the race is real."""

from contextlib import suppress
from datetime import date
from threading import Barrier, BrokenBarrierError, Thread

import pytest
from django.db import connection
from django.db.models import Sum

from nuan.operations import support_subsidies
from nuan.operations.support_subsidies import MoreThanOwedError, record_subsidy_payment
from nuan.records.support.models import Beneficiary, SubsidyPayment
from small_support import build_support

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def rows(city: None) -> None:
    build_support()


def both_at_once(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """(fen paid, refusals) after two payments of 400 yuan out of 600, both of which look before either writes if they can."""
    looked, refusals = Barrier(2), []
    really = support_subsidies.owed_fen

    def owed(*asked: object) -> int | None:
        found = really(*asked)  # type: ignore[arg-type]
        with suppress(BrokenBarrierError):  # the other one waits for our transaction: that is the lock
            looked.wait(1.5)
        return found

    monkeypatch.setattr(support_subsidies, "owed_fen", owed)
    beneficiary = Beneficiary.objects.select_related("home").filter(home__banner="150602").order_by("code")[0]

    def pay(code: str) -> None:
        try:
            record_subsidy_payment(
                code=code, beneficiary=beneficiary, programme="P2", season="2025-2026", amount_fen=40_000, on=date(2026, 1, 20),
                reference="", actor="乌主任",
            )  # fmt: skip
        except MoreThanOwedError:
            refusals.append(code)
        finally:
            connection.close()

    threads = [Thread(target=pay, args=(code,)) for code in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return int(SubsidyPayment.objects.aggregate(sum=Sum("amount_fen"))["sum"] or 0), len(refusals)


def test_control_without_the_lock_both_are_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Beneficiary.objects, "select_for_update", Beneficiary.objects.all)
    assert both_at_once(monkeypatch) == (80_000, 0)


def test_one_is_paid_and_the_other_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert both_at_once(monkeypatch) == (40_000, 1)
