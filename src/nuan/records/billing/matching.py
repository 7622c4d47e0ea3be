"""Which bill a payment pays: by what its texts name, and only where the sums leave no doubt. Pure; the caller brings the open bills.

A row names bills or homes by their number or code, written out whole. Rules, in this order:
1. it names bills, and it is the sum of what they have open: placed (`exact`, or `split` over several);
2. it names one bill that is open: less than that is a part payment (`part`), more pays it and the rest is the home's credit (`over`);
3. it names one home: what that home has open, exactly (`exact`, `split`); with a single open bill as under 2;
4. `oldest_first`, where the place has decided so: a home's bills in the order of their dates.
All else waits for a person, with candidates.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-/]{2,47}")
DOUBTS = {
    "no_reference": ("没有写账单号或户号", "names no bill and no home"),
    "unknown_reference": ("写的号码找不到账单或住户", "what it names is neither a bill nor a home"),
    "other_company": ("写的是别的企业的住户或账单", "names a bill or home of another company"),
    "several_homes": ("写了几户，合计对不上", "names several homes and the sums do not fit"),
    "sums_differ": ("写了几张账单，合计对不上", "names several bills and the sums do not fit"),
    "nothing_open": (
        "这户没有未付的账单，可能是重复付款或预存",
        "that home has nothing open: paid twice, or in advance",
    ),
    "which_bill": ("这户有几张未付账单，金额都对不上", "that home has several open bills and the amount fits none"),
}
"""Why a person has to look, in both languages."""


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A bill with what is still open on it, adjustments and late fees included."""

    id: int
    number: str
    home_id: int
    home: str
    season: str
    issued_on: date
    open_fen: int


@dataclass(frozen=True, slots=True)
class Part:
    """`bill` None = into the home's credit."""

    home_id: int
    bill: int | None
    fen: int
    rule: str


@dataclass(frozen=True, slots=True)
class Match:
    """`parts` sum to the payment or are none; `doubt` is a key of `DOUBTS`. `home_id` is whose it is, where exactly one home is named."""

    parts: tuple[Part, ...] = ()
    doubt: str = ""
    home_id: int | None = None


@dataclass
class Books:
    """What can be named: the open bills and homes of one company, and the codes of others. `take` keeps what is open up to date."""

    bills: dict[str, OpenBill]
    homes: Mapping[str, int]
    foreign: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.open = {bill.id: bill.open_fen for bill in self.bills.values()}
        self.of_home: dict[int, list[OpenBill]] = {}
        for bill in sorted(self.bills.values(), key=lambda each: (each.issued_on, each.id)):
            self.of_home.setdefault(bill.home_id, []).append(bill)

    def due(self, home_id: int) -> list[OpenBill]:
        return [bill for bill in self.of_home.get(home_id, ()) if self.open[bill.id] > 0]

    def take(self, parts: Iterable[Part]) -> None:
        for part in parts:
            if part.bill is not None:
                self.open[part.bill] -= part.fen


def tokens(texts: Sequence[str]) -> list[str]:
    """Words that may be a number or code, each once, in order.

    >>> tokens(["采暖费 B001-1-0101", "2025-000017；b001-1-0101"])
    ['B001-1-0101', '2025-000017']
    """
    return list(dict.fromkeys(word.upper().rstrip("-/") for text in texts for word in TOKEN.findall(text)))


def match(texts: Sequence[str], amount_fen: int, books: Books, *, oldest_first: bool = False) -> Match:
    """Where a payment belongs; `books` is not changed."""
    words = tokens(texts)
    named = [books.bills[word] for word in words if word in books.bills]
    homes = list(dict.fromkeys([books.homes[word] for word in words if word in books.homes]))
    if not named and not homes:
        foreign = any(word in books.foreign for word in words)
        return Match(doubt="other_company" if foreign else "unknown_reference" if words else "no_reference")
    owners = list(dict.fromkeys([bill.home_id for bill in named] or homes))
    whose = owners[0] if len(owners) == 1 else None
    if named and set(homes) - set(owners):
        return Match(doubt="several_homes")
    if named:
        return _named(named, amount_fen, books, whose)
    if whose is None:
        due = [bill for home in homes for bill in books.due(home)]
        exact = sum(books.open[bill.id] for bill in due) == amount_fen
        return Match(_all_of(due, books, "split")) if due and exact else Match(doubt="several_homes")
    return _of_home(whose, amount_fen, books, oldest_first)


def _named(named: list[OpenBill], amount_fen: int, books: Books, whose: int | None) -> Match:
    due = [bill for bill in named if books.open[bill.id] > 0]
    if not due:
        return Match(doubt="nothing_open", home_id=whose)
    if sum(books.open[bill.id] for bill in due) == amount_fen:
        return Match(_all_of(due, books, "split" if len(due) > 1 else "exact"), home_id=whose)
    if len(due) > 1:
        return Match(doubt="sums_differ", home_id=whose)
    return Match(_one(due[0], amount_fen, books), home_id=due[0].home_id)


def _of_home(home: int, amount_fen: int, books: Books, oldest_first: bool) -> Match:
    due = books.due(home)
    if not due:
        return Match(doubt="nothing_open", home_id=home)
    if sum(books.open[bill.id] for bill in due) == amount_fen:
        return Match(_all_of(due, books, "split" if len(due) > 1 else "exact"), home_id=home)
    fits = [bill for bill in due if books.open[bill.id] == amount_fen]
    if len(fits) == 1:
        return Match((Part(home, fits[0].id, amount_fen, "exact"),), home_id=home)
    if len(due) == 1:
        return Match(_one(due[0], amount_fen, books), home_id=home)
    if oldest_first:
        return Match(by_age(home, amount_fen, books), home_id=home)
    return Match(doubt="which_bill", home_id=home)


def _all_of(due: Sequence[OpenBill], books: Books, rule: str) -> tuple[Part, ...]:
    return tuple(Part(bill.home_id, bill.id, books.open[bill.id], rule) for bill in due)


def _one(bill: OpenBill, amount_fen: int, books: Books) -> tuple[Part, ...]:
    open_fen = books.open[bill.id]
    if amount_fen < open_fen:
        return (Part(bill.home_id, bill.id, amount_fen, "part"),)
    return (
        Part(bill.home_id, bill.id, open_fen, "over"),
        Part(bill.home_id, None, amount_fen - open_fen, "over"),
    )


def by_age(home: int, amount_fen: int, books: Books) -> tuple[Part, ...]:
    """A home's open bills from the oldest on; what is left is credit."""
    parts: list[Part] = []
    left = amount_fen
    for bill in books.due(home):
        fen = min(left, books.open[bill.id])
        if fen:
            parts.append(Part(home, bill.id, fen, "oldest_first"))
            left -= fen
    return (*parts, Part(home, None, left, "oldest_first")) if left else tuple(parts)
