"""How one judgement came about: the steps in order, the branches tried, and the sentence for the person concerned.

A rule takes a `Trace` or None. With None it costs nothing; with one, the same rule on one subject writes down what it did.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Step:
    """One line of 怎么算的: what, the working with the numbers put in, and the ground it stands on."""

    label_zh: str
    label_en: str
    working: str
    source: str = ""
    kind: str = "step"
    working_en: str = ""

    def told_in(self, language: str) -> "Step":
        """The same step with its working in that language, Chinese where nobody wrote another."""
        return replace(self, working=self.working_en) if language == "en" and self.working_en else self

    def label(self, language: str = "zh") -> str:
        return self.label_zh if language == "zh" else self.label_en


@dataclass(slots=True)
class Trace:
    """Collects steps while a rule runs on one subject. `item` is the judgement asked about, for rules that make several."""

    item: str = "season"
    steps: list[Step] = field(default_factory=list)
    sentences: dict[str, str] = field(default_factory=dict)

    def step(self, label_zh: str, label_en: str, working: str, source: str = "", working_en: str = "") -> None:
        self.steps.append(Step(label_zh, label_en, working, source, working_en=working_en))

    def branch(self, taken: str, tried: Mapping[str, bool], english: Mapping[str, str] | None = None) -> None:
        """Every branch that was tried and whether it applied. `english` translates the labels."""
        words = "；".join(f"{name}：{'适用' if applies else '不适用'}" for name, applies in tried.items())
        zh = f"{taken}（{words}）" if words else taken
        en = ""
        if english:
            others = "; ".join(
                f"{english[name]}: {'applies' if applies else 'does not'}" for name, applies in tried.items()
            )
            en = f"{english[taken]} ({others})"
        self.steps.append(Step("适用的规则", "rule applied", zh, kind="branch", working_en=en))

    def sentence(self, zh: str, en: str) -> None:
        """For the resident or company: what was found and what follows."""
        self.sentences["zh"], self.sentences["en"] = zh, en


@dataclass(frozen=True, slots=True)
class Explanation:
    """One judgement explained."""

    clause: str
    subject: str
    item: str
    language: str
    verdict: str
    amount_fen: int | None
    sentence: str
    steps: tuple[Step, ...]
    pack: str
    pack_version: str

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    def text(self) -> str:
        lines = [self.sentence, ""]
        for number, step in enumerate(self.steps, 1):
            source = f"  ［{step.source}］" if step.source else ""
            colon = "：" if self.language == "zh" else ": "
            lines.append(f"{number}. {step.label(self.language)}{colon}{step.working}{source}")
        return "\n".join(lines)
