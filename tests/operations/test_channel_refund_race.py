"""Two people agree to one refund of a platform at the same moment: it is booked once. Shown first: without the lock both go through the look."""

import threading
from contextlib import suppress

import pytest
from django.db import connection
from payment_samples import TODAY, wechat

from billed_city import bill_everybody, person, prepare
from nuan.operations import channel_refunds
from nuan.operations.channel_refunds import decide_channel_refund, propose_channel_refund
from nuan.operations.payment_files import import_payments
from nuan.records.billing.models import Bill, ChannelRefund, Entry, Payment
from refund_stage import finance
from small_city import build_city, seat_the_cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def found() -> ChannelRefund:
    build_city()
    seat_the_cast()
    prepare()
    bill_everybody()
    finance("第三人")
    bill = Bill.objects.get(home__code="B001-1-0101")
    text = wechat([("1", bill.number, bill.total_fen)], [("r1", "1", "shop", 500, "SUCCESS")])
    import_payments(text.encode(), "f.csv", channel="wechat", company="C01", actor="周会计", today=TODAY)
    return propose_channel_refund(ChannelRefund.objects.get().pk, by=person("周会计"), why="平台上退的")


def both(found: ChannelRefund) -> list[str]:
    """What becomes of the answers of two people, each with a connection of their own."""
    results: list[str] = ["", ""]

    def run(place: int, name: str) -> None:
        try:
            decide_channel_refund(found.pk, by=person(name), seen_hash=found.content_hash, today=TODAY)
            results[place] = "booked"
        except Exception as error:
            results[place] = type(error).__name__
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(("郑主管", "第三人"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(results)


def test_one_of_two_books_it(found: ChannelRefund) -> None:
    assert both(found) == ["ChannelRefundStateError", "booked"]
    assert Entry.objects.filter(kind="channel_refund").count() == 1
    assert Payment.objects.get().open_fen == 0


def test_control_without_the_lock_both_have_looked(found: ChannelRefund, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race exists: both find it undecided. What then stands in the way is the database, and it is booked once all the same."""
    barrier, seen = threading.Barrier(2), []

    def unlocked(pk: int) -> ChannelRefund:
        row = ChannelRefund.objects.select_related("payment").get(pk=pk)
        seen.append(row.state)
        with suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=3)
        return row

    monkeypatch.setattr(channel_refunds, "_locked", unlocked)
    results = both(found)
    assert seen == ["proposed", "proposed"]
    assert results.count("booked") == 1
    assert Entry.objects.filter(kind="channel_refund").count() == 1
