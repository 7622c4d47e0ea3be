"""One record of 保障资金 written by hand: the same columns, rules and findings as a file of one row, looked at before it is written.

A record that exists is changed with a reason; the audit log keeps who, when, why and what it was before, so that every earlier version can be
told. Programmes are never changed: a later day of recording is the new version.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
from django.db import models

from nuan.operations.acts import act
from nuan.operations.import_registry import import_registry
from nuan.operations.registry_shapes import Field, RegistryTable
from nuan.operations.registry_tables import TABLES
from nuan.records.accounts.visibility import BUREAUS, REFUND_DESK, Scope
from nuan.records.audit.models import AuditEntry
from nuan.records.support.models import (
    Asset,
    Beneficiary,
    FundAccount,
    FundingSource,
    GovernmentDebt,
    SubsidyProgramme,
)
from nuan.terms.findings import Finding, FindingsError

ACT = "enter_support_row"
PRIVATE = ("home", "evidence_ref")
"""Shown to nobody again and kept out of the log; left empty in a change they stay what they are."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A kind of record that a form writes. `versions`: a change is a new row, and nothing of the old one is touched."""

    model: type[models.Model]
    clause: str
    writers: frozenset[str]
    named: str = "name"
    versions: bool = False


ENTRIES: Mapping[str, Entry] = {
    "assets": Entry(Asset, "2.7.3", REFUND_DESK),
    "fund_accounts": Entry(FundAccount, "2.7.5", BUREAUS),
    "beneficiaries": Entry(Beneficiary, "3.1", BUREAUS, named="category"),
    "subsidy_programmes": Entry(SubsidyProgramme, "3.1", BUREAUS, versions=True),
    "debts": Entry(GovernmentDebt, "3.2", BUREAUS, named="debtor"),
    "funding": Entry(FundingSource, "3.2", BUREAUS),
}


class NotLookedAtError(ValueError):
    def __init__(self) -> None:
        super().__init__("内容在您看过以后变了，请再看一次 / it has changed since you looked")


class ReasonNeededError(ValueError):
    def __init__(self) -> None:
        super().__init__("更改已登记的内容要写明理由 / changing a record needs a reason")


@dataclass(frozen=True)
class Looked:
    """What would be written: `before` is empty for a new record, `changes` has field → (before, after) with private ones as dots."""

    values: dict[str, str]
    before: dict[str, str]
    findings: list[Finding] = field(default_factory=list)
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def seen(self) -> str:
        told = [sorted(self.values.items()), sorted(self.before.items())]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def seen_rows(kind: str, scope: Scope) -> models.QuerySet[Any]:
    """The records of a kind as far as somebody's sight goes."""
    model = ENTRIES[kind].model
    if model is Beneficiary:
        return scope.of_homes(Beneficiary.objects.select_related("home__building"))
    rows = model._default_manager.all()
    if model in (SubsidyProgramme, FundAccount, FundingSource):
        return rows.filter(banner__in=scope.banners())
    return scope.of_places(rows)


def values_of(kind: str, row: Any) -> dict[str, str]:
    """A record as the fields of its form, private ones too."""
    return {each.name: _text(each, row) for each in TABLES[kind].fields}


def _text(column: Field, row: Any) -> str:
    if column.name in ("company", "banner", "building"):
        found = getattr(row, f"{column.name}_id")
    elif column.name == "home":
        found = row.home.code
    elif column.name == "categories":
        found = "、".join(row.categories)
    elif column.name in ("share_percent", "amount_yuan") and isinstance(row, SubsidyProgramme):
        share = row.amount_kind == SubsidyProgramme.AmountKind.SHARE
        found = row.rate if share is (column.name == "share_percent") else None
    else:
        found = getattr(row, column.name.replace("_yuan", "_fen"))
    if found is None:
        return ""
    if column.kind == "decimal":
        digits = len(str(column.scale)) - 1
        return f"{found / column.scale:.{digits}f}"
    return found.isoformat() if isinstance(found, date) else str(found)


def look(kind: str, given: Mapping[str, str], scope: Scope) -> Looked:
    """What a form would write, and all that is wrong with it; nothing is written."""
    table = TABLES[kind]
    values = {each.name: given.get(each.name, "").strip()[:300] for each in table.fields}
    there = _there(kind, table, values)
    before = values_of(kind, there) if there is not None else {}
    values |= {name: before[name] for name in PRIVATE if name in before and not values[name]}
    findings = _outside(table, values, scope)
    if there is not None and not seen_rows(kind, scope).filter(pk=there.pk).exists():
        findings.append(
            Finding(table.name, "taken", "编号已经登记过", "the code is taken", "换一个编号。", field="code")
        )
        before = {}
    if there is not None and ENTRIES[kind].versions and not findings and values != before:
        findings.append(Finding(table.name, "version_there", "这一天已经登记过一个版本", "a version of that day is there", "登记日写成新的一天。", field="recorded_on"))  # fmt: skip
    if not findings:
        findings = import_registry({kind: _frame(values)}, actor="form", dry_run=True).findings
    changes = {
        name: ("…" if name in PRIVATE and before else before.get(name, ""), "…" if name in PRIVATE else value)
        for name, value in values.items()
        if value != before.get(name, "")
    }
    return Looked(values, before, findings, changes)


def _there(kind: str, table: RegistryTable, values: Mapping[str, str]) -> Any:
    key = {name: values[name] for name in table.key}
    if not all(key.values()):
        return None
    if day := key.get("recorded_on"):
        try:
            date.fromisoformat(day)
        except ValueError:
            return None
    return ENTRIES[kind].model._default_manager.filter(**key).first()


def _frame(values: Mapping[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {name: [value or None] for name, value in values.items()}, schema=dict.fromkeys(values, pl.String)
    )


def _outside(table: RegistryTable, values: Mapping[str, str], scope: Scope) -> list[Finding]:
    """Places that the writer does not see are answered like those that do not exist."""
    known = {
        "banners": lambda code: scope.banners().filter(code=code),
        "companies": lambda code: scope.companies().filter(code=code),
        "buildings": lambda code: scope.buildings().filter(code=code),
        "homes": lambda code: scope.homes().filter(code=code),
    }
    return [
        Finding(
            table.name,
            "not_there",
            "没有这个编号",
            "no such code",
            "核对编号。",
            field=each.name,
            value=values[each.name],
        )
        for each in table.fields
        if each.refers in known and values[each.name] and not known[each.refers](values[each.name]).exists()
    ]


def enter(kind: str, given: Mapping[str, str], scope: Scope, *, seen: str, why: str, actor: str) -> Looked:
    """Write what was looked at. The same again changes nothing.

    Raises NotLookedAtError, ReasonNeededError, FindingsError.
    """
    entry = ENTRIES[kind]
    with act(ACT, actor=actor, clause=entry.clause, why=why.strip()[:300]) as row:
        looked = look(kind, given, scope)
        if not looked.ok:
            raise FindingsError(looked.findings)
        if looked.seen != seen:
            raise NotLookedAtError
        row.subject = f"{kind}:{looked.values['code']}"
        if not looked.changes:
            row.nothing_changed = True
            return looked
        if looked.before and not why.strip():
            raise ReasonNeededError
        import_registry({kind: _frame(looked.values)}, actor=actor, source="表单").required()
        row.details = {"changes": {name: list(pair) for name, pair in looked.changes.items()}, "new": not looked.before}
    return looked


def versions_of(kind: str, code: str) -> list[AuditEntry]:
    """What was written about a record by forms, the newest first."""
    return list(AuditEntry.objects.filter(act=ACT, subject=f"{kind}:{code}").order_by("-id")[:20])


def may_write(kind: str, role: str) -> bool:
    return kind in ENTRIES and role in ENTRIES[kind].writers
