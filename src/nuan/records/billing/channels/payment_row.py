"""What every channel's file comes down to: payments in fen with their place in the file, the file's own totals, and the findings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from nuan.terms.findings import Finding

Kind = Literal["paid", "refund", "revoked"]


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One movement of money. `row` counts as a person counts in the file; `amount_fen` is positive, `kind` says the direction.

    `txn_id` is the channel's own number of this movement and unique within it; `refund_of` the number of the payment that a refund
    gives back, `payout` our own number of the payout that it carries out. `references` are the texts that may name a bill or a home, the most trusted first.
    `payer` is masked; `payer_key` is a digest by which a platform's account is known again, empty where only a name is given.
    """

    row: int
    kind: Kind
    txn_id: str
    paid_at: datetime
    amount_fen: int
    fee_fen: int = 0
    references: tuple[str, ...] = ()
    payer: str = ""
    payer_key: str = ""
    refund_of: str = ""
    payout: str = ""
    state: str = ""


@dataclass(frozen=True)
class PaymentsRead:
    """`ok` = nothing in the file forbids taking it in. `stated` and `counted` are the file's control totals and our own, by name."""

    name: str
    channel: str
    digest: str
    rows: tuple[PaymentRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    stated: Mapping[str, int] = field(default_factory=dict)
    counted: Mapping[str, int] = field(default_factory=dict)
    variant: str = ""

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def total_fen(self) -> int:
        return sum(row.amount_fen for row in self.rows if row.kind == "paid")

    def days(self) -> tuple[date, date] | None:
        """First and last local day in the file."""
        found = sorted(row.paid_at.date() for row in self.rows)
        return (found[0], found[-1]) if found else None
