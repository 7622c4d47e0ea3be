"""What bad input returns: every fault at once, each with its place and its remedy."""

from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. `where` is a file, sheet or record; `row` counts as a person counts in the file (header = 1)."""

    where: str
    code: str
    message_zh: str
    message_en: str
    remedy_zh: str
    row: int | None = None
    field: str | None = None
    value: str | None = None
    severity: Severity = "error"
    count: int = 1

    def sentence(self, language: str = "zh") -> str:
        place = self.where
        if self.row is not None:
            place += f" 第 {self.row} 行" if language == "zh" else f" row {self.row}"
        if self.field:
            place += f" “{self.field}”"
        if language == "zh":
            shown = f"（{self.value}）" if self.value is not None else ""
            times = f"，共 {self.count} 处" if self.count > 1 else ""
            return f"{place}：{self.message_zh}{shown}{times}。{self.remedy_zh}"
        shown = f" ({self.value})" if self.value is not None else ""
        times = f", {self.count} times" if self.count > 1 else ""
        return f"{place}: {self.message_en}{shown}{times}"

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


class FindingsError(ValueError):
    """Input that cannot be taken in; carries all findings."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__("\n".join(finding.sentence() for finding in findings))
