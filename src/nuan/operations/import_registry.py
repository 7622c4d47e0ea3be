"""Take in a registry: organisations, supply tree, homes with their contracts, and what is reported beside it. All or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl
from django.db import IntegrityError

from nuan.operations.acts import act
from nuan.operations.bulk import Counts, RecordedOtherwiseError
from nuan.operations.registry_cells import tidy
from nuan.operations.registry_rows import check_rows
from nuan.operations.registry_tables import TABLES
from nuan.operations.registry_writing import write
from nuan.operations.support_ledger import book_imported
from nuan.terms.findings import Finding, FindingsError


@dataclass(frozen=True)
class ImportReport:
    """What became of every table. With findings of severity error nothing was written."""

    tables: Mapping[str, Counts] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def total(self) -> Counts:
        return sum(self.tables.values(), Counts())

    def required(self) -> "ImportReport":
        """This report, or all its findings as one exception: for callers who know that their tables are right."""
        if not self.ok:
            raise FindingsError(self.findings)
        return self


def import_registry(
    tables: Mapping[str, pl.DataFrame], *, actor: str, source: str = "", dry_run: bool = False
) -> ImportReport:
    """Frames by table name, with the columns of `registry_tables.TABLES` (typed, or as text from a file) → records.

    One transaction: every table or none. Rows that are already there and equal stay untouched, so the same tables twice change
    nothing and leave no audit row.
    """
    findings: list[Finding] = []
    clean: dict[str, pl.DataFrame] = {}
    for name in tables:
        if name not in TABLES:
            findings.append(
                Finding(
                    name, "unknown_table", "没有这张表", "no such table", f"可用：{'、'.join(TABLES)}。"
                )
            )  # fmt: skip
    for name, table in TABLES.items():
        if name in tables:
            clean[name], wrong = tidy(table, tables[name])
            findings.extend(wrong)
    if all(finding.severity != "error" for finding in findings):
        findings.extend(check_rows(clean))
    report = ImportReport({}, findings)
    if not report.ok or dry_run:
        return report
    try:
        with act("import_registry", actor=actor, subject=source) as row:
            counts = {name: write(name, frame) for name, frame in clean.items()}
            book_imported(clean, actor=actor)
            row.details.update({name: [c.created, c.changed, c.unchanged] for name, c in counts.items()})
            row.nothing_changed = all(c.created == c.changed == 0 for c in counts.values())
    except RecordedOtherwiseError as error:
        findings.extend(_recorded_otherwise(str(error.table), key) for key in error.keys[:20])
        return ImportReport({}, findings)
    except IntegrityError as error:
        findings.append(_refused(str(error).splitlines()[0]))
        return ImportReport({}, findings)
    return ImportReport(counts, findings)


def _recorded_otherwise(table: str, key: str) -> Finding:
    return Finding(
        table, "recorded_otherwise", "已登记过，内容不同", "already recorded with other content",
        "这类记录不可修改；如需更正，请冲销或另用新的编号登记。", field="code", value=key,
    )  # fmt: skip


def _refused(sentence: str) -> Finding:
    return Finding(
        "registry", "refused", "数据库不允许这样登记（例如还款合计超过欠账）", "the records refuse this, e.g. more paid than owed",
        "请核对合计；整份文件都没有写入。", value=sentence[:160],
    )  # fmt: skip
