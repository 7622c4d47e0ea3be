"""`nuan cases`: situations in YAML, judged, and compared with what their author expects."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from nuan.policies.cases.comparison import Outcome, check_file, shown
from nuan.terms.findings import Finding, FindingsError


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")
@click.option("--explain", is_flag=True, help="print how each result came about (怎么算的)")
def cases(files: tuple[Path, ...], as_json: bool, explain: bool) -> None:
    """Evaluate situations written in YAML and print where the results differ from `expected`.

    \b
    A situation names a pack, a season, a home and its facts:
      - id: one-night
        pack: demo-city
        season: 2025-2026
        home: {area_m2: 100, price: 24}
        outages: [{from: 2026-01-01 22:00, to: 2026-01-03 05:00}]
        expected: {outage_refund: 39.34}

    Exit code 0: everything as expected; 1: differences; 2: a file cannot be read (every fault is listed).
    Without `expected` the results are printed. docs/cases.md describes every key.
    """
    outcomes: list[Outcome] = []
    findings: list[Finding] = []
    for file in files:
        try:
            outcomes += check_file(file)
        except FindingsError as error:
            findings += error.findings
    if as_json:
        click.echo(json.dumps(_document(outcomes, findings), ensure_ascii=False, indent=1))
    else:
        _print(outcomes, findings, explain)
    if findings:
        raise SystemExit(2)
    if any(outcome.differences for outcome in outcomes):
        raise SystemExit(1)


def _document(outcomes: list[Outcome], findings: list[Finding]) -> dict[str, object]:
    return {
        "situations": [
            {
                "file": outcome.situation.where,
                "line": outcome.situation.line,
                "id": outcome.situation.id,
                "pack": outcome.situation.pack.name,
                "pack_version": outcome.situation.pack.version,
                "results": {
                    target: {
                        "verdict": result.verdict,
                        "amount_fen": result.amount_fen,
                        "low_fen": result.low_fen,
                        "high_fen": result.high_fen,
                        "value": result.value,
                        "deadline": result.deadline.isoformat() if result.deadline else None,
                        "why": list(result.why),
                        "reasons": list(result.reasons),
                        "working": list(result.working),
                    }
                    for target, result in outcome.results.items()
                },
                "differences": [difference.as_dict() for difference in outcome.differences],
            }
            for outcome in outcomes
        ],
        "findings": [finding.as_dict() for finding in findings],
        "differences": sum(len(outcome.differences) for outcome in outcomes),
    }


def _print(outcomes: list[Outcome], findings: list[Finding], explain: bool) -> None:
    console = Console(soft_wrap=False)
    for finding in findings:
        click.echo(finding.sentence(), err=True)
    for outcome in outcomes:
        if explain or not outcome.situation.expected:
            _print_results(outcome, explain)
    different = [difference for outcome in outcomes for difference in outcome.differences]
    if different:
        table = Table(title="与预期不同", show_lines=True)
        for column in ("位置", "情形", "项目", "应为", "得到", "原因"):
            table.add_column(column, overflow="fold")
        for each in different:
            table.add_row(
                f"{each.where}:{each.line}", each.situation, each.target, each.expected, each.got, each.reason
            )
        console.print(table)
    checked = sum(len(outcome.situation.expected) for outcome in outcomes)
    click.echo(f"{len(outcomes)} 个情形，核对 {checked} 项，不同 {len(different)} 项，文件问题 {len(findings)} 处。")


def _print_results(outcome: Outcome, explain: bool) -> None:
    situation = outcome.situation
    click.echo(f"\n{situation.id} {situation.title}（规则包 {situation.pack.zh}，{situation.pack.version[:12]}）")
    for target, result in outcome.results.items():
        if not result.working and not result.amount_fen and result.verdict == "met" and target != "total_refund":
            continue
        click.echo(f"  {result.label} {target}：{shown(result)}")
        for line in result.reasons:
            click.echo(f"    因为：{line}")
        low, high = result.low_fen or 0, result.high_fen or 0
        if result.amount_fen is None and low < high:
            # equal bounds say only that no open question moves the sum: what else is missing bounds nothing
            click.echo(f"    各种口径下 {low / 100:,.2f} 至 {high / 100:,.2f} 元")
        if explain:
            for line in result.working:
                click.echo(f"    {line}")
