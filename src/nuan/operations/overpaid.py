"""What a bill was paid beyond what it comes to goes into the home's credit by itself, when the bill is cancelled or lowered.

The newest payments of the bill are taken back by their mirrors and placed anew: the part that the bill still needs on the bill, the rest as
the home's credit. Nothing is left in the queue, and every step is an entry.
"""

from datetime import date

from nuan.operations.open_bills import open_of_bills
from nuan.operations.payment_booking import lock_placing
from nuan.operations.payment_queue import place, take_back
from nuan.records.billing.matching import Part
from nuan.records.billing.models import Allocation, Bill


def paid_beyond_into_credit(bill: Bill, *, on: date, actor: str, why: str) -> int:
    """Fen that went into the home's credit; inside the transaction of what lowered the bill. Another person's yes to that is behind it."""
    lock_placing(bill.company_id)  # an import that has looked at this bill ends first
    (found,) = open_of_bills([bill.pk])
    beyond = left = -found.open_fen
    if beyond <= 0:
        return 0
    standing = Allocation.objects.filter(bill=bill, undoes=None, undone_by=None).order_by("-id")
    for each in standing:
        if left <= 0:
            break
        share = min(each.amount_fen, left)
        take_back(each.pk, actor=actor, today=on, why=why)
        parts = [Part(each.home_id, None, share, "overpaid")]
        if each.amount_fen > share:
            parts.append(Part(each.home_id, bill.pk, each.amount_fen - share, "overpaid"))
        place(each.payment_id, parts, actor=actor, today=on, why=why)
        left -= share
    return beyond - max(left, 0)
