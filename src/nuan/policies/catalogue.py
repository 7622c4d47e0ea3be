"""All clauses of the directive, in the order of its text, and the packs that answer their numbers."""

import hashlib
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.resources import files
from typing import Any

import yaml

from nuan.rules.clause import Clause, InterpretationUse, ParameterUse, Rule
from nuan.rules.interpretation import Signed
from nuan.rules.pack import Pack, load_pack, pack_names

_DIRECTIVE = "nuan.policies.directive"
# Of the text as it was received, line endings as LF. Its title, issuer, number and date are not in it.
TEXT_SHA256 = "26e2e373b652dfd4a945a3541af9c08c217e1f4467d14f90b8eb08949bcffaed"


class NoSuchClauseError(LookupError):
    def __init__(self, key: str, known: Sequence[str]) -> None:
        self.key = key
        super().__init__(f"there is no clause {key!r}; known: {', '.join(known)}")


class DirectiveTextError(ValueError):
    """The text is not the one that the quotations were taken from."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"the directive's text has SHA-256 {found}, not {TEXT_SHA256}; quotations must be checked anew"
        )


def directive_text() -> str:
    """The whole text that there is. Raises DirectiveTextError when a byte of it has changed."""
    content = (files(_DIRECTIVE) / "text.txt").read_bytes().replace(b"\r\n", b"\n")
    found = hashlib.sha256(content).hexdigest()
    if found != TEXT_SHA256:
        raise DirectiveTextError(found)
    return content.decode()


def folder_of(key: str) -> str:
    """
    >>> folder_of("2.5.3a")
    'c2_5_3a'
    """
    return "c" + key.replace(".", "_")


def _rule(folder: str) -> Rule | None:
    if not (files(_DIRECTIVE) / folder / "rule.py").is_file():
        return None
    rule: Rule = import_module(f"{_DIRECTIVE}.{folder}.rule").judge
    return rule


def _clause(key: str) -> Clause:
    folder = folder_of(key)
    said: Mapping[str, Any] = yaml.safe_load((files(_DIRECTIVE) / folder / "clause.yaml").read_text(encoding="utf-8"))
    if said["id"] != key:
        raise NoSuchClauseError(said["id"], [key])
    words = ("section_zh", "section_en", "short_zh", "short_en", "kind", "status", "status_zh", "status_en")
    return Clause(
        id=key,
        **{name: said[name] for name in (*words, "quotation", "what_zh", "what_en")},
        folder=folder,
        scopes=tuple(said.get("scopes", ())),
        reads=tuple(said.get("reads", ())),
        parameter_uses=tuple(ParameterUse(**each) for each in said.get("parameters", ())),
        interpretation_uses=tuple(InterpretationUse(**each) for each in said.get("interpretations", ())),
        rule=_rule(folder),
    )


CLAUSES: tuple[Clause, ...] = tuple(
    _clause(key) for key in yaml.safe_load((files(_DIRECTIVE) / "order.yaml").read_text(encoding="utf-8"))
)
_BY_ID = {each.id: each for each in CLAUSES}


def clause(key: str) -> Clause:
    """
    >>> clause("2.5.2").kind
    'judged'
    """
    try:
        return _BY_ID[key]
    except KeyError:
        raise NoSuchClauseError(key, list(_BY_ID)) from None


def packs() -> list[str]:
    """Names of the jurisdiction packs; `directive` is the default."""
    return pack_names()


def pack(name: str = "directive", signed: Sequence[Signed] = ()) -> Pack:
    return load_pack(name, signed)
