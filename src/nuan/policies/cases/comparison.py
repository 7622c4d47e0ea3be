"""Expected against got: differences as values, each with its place in the file and the reason."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from nuan.policies.cases.evaluation import Result, evaluate
from nuan.policies.cases.parsing import parse
from nuan.policies.cases.situation import Expectation, Situation
from nuan.policies.cases.source import load
from nuan.policies.refunds.wording import yuan
from nuan.terms.findings import Finding, FindingsError

VERDICT_ZH = {"met": "达标", "breached": "不达标", "undecidable": "无法判定"}


@dataclass(frozen=True)
class Difference:
    where: str
    line: int
    situation: str
    target: str
    expected: str
    got: str
    reason: str

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    situation: Situation
    results: Mapping[str, Result]
    differences: tuple[Difference, ...]


def shown(result: Result) -> str:
    if result.amount_fen is not None:
        return yuan(result.amount_fen)
    return VERDICT_ZH[result.verdict]


def differences(situation: Situation, results: Mapping[str, Result]) -> Iterator[Difference]:
    for wanted in situation.expected:
        result = results[wanted.target]
        why = "；".join(result.reasons) or "；".join(result.working)
        for expected, got in _mismatches(wanted, result):
            yield Difference(situation.where, wanted.line, situation.id, wanted.target, expected, got, why)


def _mismatches(wanted: Expectation, result: Result) -> Iterator[tuple[str, str]]:
    if wanted.amount_fen is not None and wanted.amount_fen != result.amount_fen:
        yield yuan(wanted.amount_fen), shown(result)
    if wanted.verdict is not None and wanted.verdict != result.verdict:
        yield (
            VERDICT_ZH[wanted.verdict],
            VERDICT_ZH[result.verdict] + (f"（{yuan(result.amount_fen)}）" if result.amount_fen is not None else ""),
        )
    missing = [key for key in wanted.why if key not in result.why]
    if missing:
        yield f"原因含 {'、'.join(missing)}", f"原因 {'、'.join(result.why) or '无'}"
    for name, expected, got in (
        ("最少", wanted.low_fen, result.low_fen),
        ("最多", wanted.high_fen, result.high_fen),
    ):
        if expected is not None and expected != got:
            yield f"{name} {yuan(expected)}", f"{name} {yuan(got) if got is not None else '—'}"
    if wanted.deadline is not None and wanted.deadline != result.deadline:
        yield f"退费截止 {wanted.deadline}", f"退费截止 {result.deadline or '未载明'}"
    if wanted.value is not None and wanted.value != result.value:
        yield f"值 {wanted.value}", f"值 {result.value}"


def read_situations(text: str, where: str) -> list[Situation]:
    """All situations of a file, or FindingsError with every finding of every one."""
    findings: list[Finding] = []
    found: list[Situation] = []
    seen: dict[str, int] = {}
    for given in load(text, where):
        try:
            situation = parse(given, where)
        except FindingsError as error:
            findings += error.findings
            continue
        if situation.id in seen:
            findings.append(
                Finding(
                    where, "repeated_id", f"编号与第 {seen[situation.id]} 行重复", "the id is used twice", "编号不可重复。",
                    row=situation.line, field="id", value=situation.id,
                )
            )  # fmt: skip
        seen[situation.id] = situation.line
        found.append(situation)
    if findings:
        raise FindingsError(findings)
    return found


def check_file(path: Path) -> list[Outcome]:
    """Evaluate a file of situations. Raises FindingsError when it cannot be read as such."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_bytes().decode("gb18030", errors="replace")
    outcomes = []
    for situation in read_situations(text, str(path)):
        results = evaluate(situation)
        outcomes.append(Outcome(situation, results, tuple(differences(situation, results))))
    return outcomes
