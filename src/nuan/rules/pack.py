"""Jurisdiction packs: the numbers and open questions of a place, in layers region ← city ← banner ← contract.

The upper layer speaks; where it is silent at a date the layer below does. A key that it names with `null` is 未载明 and
the layer below stays unheard. Content lies in YAML; this module knows no number.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from nuan.rules.interpretation import Interpretation, Signed
from nuan.rules.parameter import DatedValue, PackParameter

JURISDICTIONS = Path(__file__).parents[1] / "policies" / "jurisdictions"


class UnknownPack(LookupError):
    """There is no such pack."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name, self.known = name, tuple(known)
        super().__init__(f"没有规则包 {name!r}；可用：{'、'.join(self.known)}")


class UnknownKey(LookupError):
    """A key that the vocabulary does not have, so that a slip of the pen never becomes a silent 未载明."""

    def __init__(self, pack: str, key: str, kind: str) -> None:
        self.pack, self.key, self.kind = pack, key, kind
        super().__init__(f"规则包 {pack}：词汇表里没有{kind} {key!r}")


@dataclass(frozen=True, slots=True)
class PackLayer:
    """One YAML file (or a contract's overrides) as read."""

    name: str
    level: str
    zh: str
    en: str
    valid_from: date
    instrument: str | None
    law: str | None
    confidence: str
    synthetic: bool
    note: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Pack:
    """Layers, uppermost first, and the signed interpretations that apply to them."""

    name: str
    layers: tuple[PackLayer, ...]
    signed: tuple[Signed, ...]
    vocabulary: Mapping[str, Mapping[str, Any]]
    questions: Mapping[str, Mapping[str, Any]]

    @property
    def zh(self) -> str:
        return self.layers[0].zh

    @property
    def en(self) -> str:
        return self.layers[0].en

    @property
    def synthetic(self) -> bool:
        return any(layer.synthetic for layer in self.layers)

    @property
    def version(self) -> str:
        """A hash of everything that can change a result: layers, vocabulary, signed records."""
        body = {
            "layers": [[layer.name, layer.level, _plain(layer.content)] for layer in self.layers],
            "questions": _plain(self.questions),
            "signed": [_plain(vars_of(record)) for record in self.signed],
        }
        return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    def parameter(self, key: str) -> PackParameter:
        word = self.vocabulary.get(key)
        if word is None:
            raise UnknownKey(self.name, key, "参数")
        answers: list[DatedValue] = []
        for layer in self.layers:
            entry = layer.content.get("parameters", {}).get(key)
            if entry is not None:
                entries = entry if isinstance(entry, list) else [entry]
                answers += [_dated(layer, word, each) for each in entries]
        return PackParameter(key, word["zh"], word["en"], word.get("unit"), tuple(answers))

    def parameters(self) -> Iterator[PackParameter]:
        return (self.parameter(key) for key in self.vocabulary)

    def value(self, key: str, day: date, known_on: date | None = None) -> Any:
        """Shorthand for `parameter(key).at(day, known_on).value`; `None` is 未载明."""
        return self.parameter(key).at(day, known_on).value

    def interpretation(self, key: str, at: date | None = None, known_on: date | None = None) -> Interpretation:
        """How the open question stands: signed record, else what the uppermost layer that speaks says, else unsigned."""
        question = self.questions.get(key)
        if question is None:
            raise UnknownKey(self.name, key, "解释")
        answer: Mapping[str, Any] = {}
        name = ""
        for layer in self.layers:
            found = layer.content.get("interpretations", {}).get(key)
            if found is not None:
                answer, name = found, layer.name
                break
        base = Interpretation.from_pack(key, question, answer, name)
        names = {layer.name for layer in self.layers}
        records = [
            record
            for record in self.signed
            if record.key == key
            and (not record.pack or record.pack in names)
            and (at is None or record.valid_from is None or record.valid_from <= at)
            and (known_on is None or record.signed_on is None or record.signed_on <= known_on)
        ]
        if not records:
            return base
        last = max(records, key=lambda record: (record.valid_from or date.min, record.signed_on or date.min))
        return base.sign(last)

    def interpretations(self, at: date | None = None, known_on: date | None = None) -> Iterator[Interpretation]:
        return (self.interpretation(key, at, known_on) for key in self.questions)


def vars_of(record: Signed) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def _plain(value: Any) -> Any:
    """JSON-ready: dates as text, keys sorted by the writer."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value


def _dated(layer: PackLayer, word: Mapping[str, Any], entry: Mapping[str, Any]) -> DatedValue:
    return DatedValue(
        value=entry.get("value"),
        compare=entry.get("compare", "="),
        unit=word.get("unit"),
        valid_from=_day(entry.get("from", layer.valid_from)),
        valid_to=None if entry.get("to") is None else _day(entry["to"]),
        recorded_on=_day(entry.get("recorded", date.min)),
        layer=layer.name,
        instrument=entry.get("instrument", layer.instrument),
        article=entry.get("article"),
        quote=entry.get("quote"),
        confidence=entry.get("confidence", layer.confidence),
        note=entry.get("note", ""),
    )


def _day(value: date | str) -> date:
    """A contract's layer may come from a file whose dates are text."""
    return value if isinstance(value, date) else date.fromisoformat(value)


@lru_cache(maxsize=64)
def _read(path: Path) -> Mapping[str, Any]:
    loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    return loaded if isinstance(loaded, dict) else {}


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _layer(content: Mapping[str, Any]) -> PackLayer:
    return PackLayer(
        name=content["pack"],
        level=content["layer"],
        zh=content["zh"],
        en=content["en"],
        valid_from=content["valid_from"],
        instrument=content.get("instrument"),
        law=content.get("law"),
        confidence=content.get("confidence", "unknown"),
        synthetic=bool(content.get("synthetic", False)),
        note=content.get("note", ""),
        content=content,
    )


def pack_names(root: Path = JURISDICTIONS) -> list[str]:
    return sorted(path.stem for path in root.glob("*.yaml"))


def contract_layer(parameters: Mapping[str, Any], name: str = "contract", zh: str = "合同约定") -> PackLayer:
    """The uppermost layer: what a contract (or a test's situation) says. Values stand bare or as a mapping with `value`."""
    entries = {
        key: value
        if isinstance(value, Mapping)
        or (isinstance(value, list) and value and isinstance(value[0], Mapping) and "value" in value[0])
        else {"value": value}
        for key, value in parameters.items()
    }
    content = {"pack": name, "parameters": entries, "interpretations": {}}
    return PackLayer(name, "contract", zh, "contract", date.min, zh, None, "given", False, "", content)


def load_pack(
    name: str,
    signed: Sequence[Signed] = (),
    root: Path = JURISDICTIONS,
    above: Sequence[PackLayer] = (),
) -> Pack:
    """The pack with its base layers; `above` puts banner or contract layers on top (uppermost first).

    Raises UnknownPack, UnknownKey when any layer names a key that the vocabulary does not have, and
    ContradictoryAnswersError when a layer gives two answers to one day.
    """
    known = pack_names(root)
    layers = list(above)
    step: str | None = name
    while step is not None:
        if step not in known:
            raise UnknownPack(step, known)
        content = _read(root / f"{step}.yaml")
        layers.append(_layer(content))
        step = content.get("base")
    vocabulary = _read(root / "vocabulary" / "parameters.yaml")
    questions = _read(root / "vocabulary" / "interpretations.yaml")
    for layer in layers:
        for key in layer.content.get("parameters", {}):
            if key not in vocabulary:
                raise UnknownKey(layer.name, key, "参数")
        for key in layer.content.get("interpretations", {}):
            if key not in questions:
                raise UnknownKey(layer.name, key, "解释")
    pack = Pack(name, tuple(layers), tuple(signed), vocabulary, questions)
    for layer in layers:
        for key, entry in layer.content.get("parameters", {}).items():
            if isinstance(entry, list):
                pack.parameter(key)
    for key in questions:
        pack.interpretation(key)
    for record in signed:
        pack.interpretation(record.key)
    return pack
