"""The ledger: accounts, entries, postings. What PostgreSQL itself refuses stands in migration 0002.

Where a foreign key says `db_constraint=False` a set-based trigger of the same migration holds it: a million rows a season would spend
more time on row-by-row key checks than on everything else together.

Money is whole fen, debit +, credit −. An entry belongs to one company and balances; it is never changed: a correction is another
entry that reverses it. Balances are sums of postings and stored nowhere.
"""

from django.db import models


class Account(models.Model):
    """科目: one account of one company, of a home where it is kept home by home. Code, kind and owner never change."""

    class Kind(models.TextChoices):
        ASSET = "asset", "资产"
        LIABILITY = "liability", "负债"
        INCOME = "income", "收入"
        EXPENSE = "expense", "费用"
        EQUITY = "equity", "权益"

    id = models.BigAutoField(primary_key=True)
    code = models.CharField(max_length=96, help_text="company/number, and /home where kept by home")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="accounts", db_index=False)
    home = models.ForeignKey("registry.Home", models.PROTECT, null=True, related_name="accounts")
    name = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code"], name="one_account_a_code")]


class Entry(models.Model):
    """凭证: one event in money. `key` says it once: the same key is never booked twice.

    `recorded_at`, `recorded_on` and `recorded_tx` are written by the database, whatever the writer says.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=120)
    company = models.ForeignKey(
        "registry.Company", models.PROTECT, related_name="entries", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=24, help_text="bill, payment, refund, …")
    clause = models.CharField(max_length=12, blank=True, default="", db_default="")
    on = models.DateField(help_text="the day that it counts for; its month is the period")
    period = models.CharField(max_length=7, help_text="2025-11")
    memo = models.CharField(max_length=200, blank=True, default="", db_default="")
    details = models.JSONField(default=dict)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    created_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(editable=False)
    recorded_on = models.DateField(editable=False, help_text="the day of the chain")
    recorded_tx = models.BigIntegerField(editable=False)

    class Meta:
        # few indexes, each used: a season writes a million rows
        constraints = [models.UniqueConstraint(fields=["key"], name="entry_booked_once")]
        indexes = [
            models.Index(fields=["company", "on"]),
            models.Index(fields=["recorded_on", "id"]),
        ]


class Posting(models.Model):
    """One leg of an entry."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="postings", db_constraint=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="postings", db_constraint=False)
    amount_fen = models.BigIntegerField(help_text="debit +, credit −")

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(amount_fen=0), name="posting_is_not_zero")]

    @property
    def credit_fen(self) -> int:
        """The amount as its column on the credit side says it."""
        return -self.amount_fen


class LedgerPeriod(models.Model):
    """A month that is closed for a company: nothing more is booked into it. Never opened again."""

    company = models.ForeignKey("registry.Company", models.PROTECT, related_name="+")
    period = models.CharField(max_length=7)
    closed_at = models.DateTimeField(auto_now_add=True)
    closed_by = models.CharField(max_length=120)
    approved_by = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "period"], name="period_closed_once"),
            models.CheckConstraint(condition=~models.Q(closed_by=models.F("approved_by")), name="period_closed_by_two"),
        ]


class LedgerDay(models.Model):
    """A day that is sealed: the digest covers all entries recorded on it, and the digest of the day sealed before."""

    day = models.DateField(primary_key=True)
    entries = models.BigIntegerField()
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)
    sealed_at = models.DateTimeField(auto_now_add=True)
