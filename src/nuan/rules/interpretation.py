"""Questions that a text leaves open. Each has named options; who decides it signs, and the record says who and when.

Unsigned and unstated means undecidable wherever the options would pay differently, never a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Self

Basis = Literal["signed", "stated", "unsigned"]
BASIS_ZH: Mapping[Basis, str] = {"signed": "已签署", "stated": "本包按条文采用", "unsigned": "未签署"}


class UnknownOption(ValueError):
    """An option that the question does not have."""

    def __init__(self, key: str, option: str, options: Sequence[str]) -> None:
        self.key, self.option, self.options = key, option, tuple(options)
        super().__init__(f"解释 {key} 没有选项 {option!r}；可选：{'、'.join(options)}")


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed record: `pack` empty means every pack; it applies from `valid_from` on and is known from `signed_on`."""

    key: str
    option: str
    pack: str = ""
    valid_from: date | None = None
    signed_by: str = ""
    signed_on: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """How one open question stands in one pack at one date."""

    key: str
    zh: str
    en: str
    options: Mapping[str, Mapping[str, str]]
    decision: int | None = None
    chosen: str | None = None
    basis: Basis = "unsigned"
    signed_by: str = ""
    signed_on: date | None = None
    layer: str = ""
    article: str | None = None
    quote: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.chosen is not None and self.chosen not in self.options:
            raise UnknownOption(self.key, self.chosen, tuple(self.options))

    @property
    def is_open(self) -> bool:
        return self.chosen is None

    @property
    def candidates(self) -> tuple[str, ...]:
        """The options that may still hold: the chosen one, or all while nobody has decided."""
        return (self.chosen,) if self.chosen is not None else tuple(self.options)

    def label(self, language: Literal["zh", "en"] = "zh") -> str:
        if self.chosen is None:
            return "未签署" if language == "zh" else "unsigned"
        return self.options[self.chosen][language]

    def sentence(self, language: Literal["zh", "en"] = "zh") -> str:
        """One line for the explanation: question, answer, on which ground."""
        if language == "zh":
            ground = f"{BASIS_ZH[self.basis]}{'，' + self.signed_by if self.signed_by else ''}"
            note = f"；{self.note}" if self.note else ""
            return f"{self.zh}：{self.label('zh')}（{ground}{note}）"
        return f"{self.en}: {self.label('en')} ({self.basis})"

    def sign(self, record: Signed) -> Self:
        return type(self)(
            key=self.key,
            zh=self.zh,
            en=self.en,
            options=self.options,
            decision=self.decision,
            chosen=record.option,
            basis="signed",
            signed_by=record.signed_by,
            signed_on=record.signed_on,
            layer=self.layer,
            article=self.article,
            quote=self.quote,
            note=record.reason or self.note,
        )

    @classmethod
    def from_pack(cls, key: str, question: Mapping[str, Any], answer: Mapping[str, Any], layer: str) -> Self:
        """`question` is the vocabulary's entry, `answer` the pack's (empty where the pack is silent)."""
        signed, stated = answer.get("signed"), answer.get("stated")
        return cls(
            key=key,
            zh=question["zh"],
            en=question["en"],
            options=question["options"],
            decision=question.get("decision"),
            chosen=signed if signed is not None else stated,
            basis="signed" if signed is not None else "stated" if stated is not None else "unsigned",
            signed_by=answer.get("by", ""),
            signed_on=answer.get("date"),
            layer=layer,
            article=answer.get("article"),
            quote=answer.get("quote"),
            note=answer.get("note", ""),
        )
