"""Signing how an open point of the text is decided here. Signed anew, never edited; it applies from the next run on."""

from datetime import date

from nuan.operations.acts import act
from nuan.policies import catalogue
from nuan.records.supervision.models import SignedInterpretation
from nuan.rules.interpretation import UnknownOption


class NoReasonError(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(f"解释 {key} 要写明理由才能签署 / signing {key} needs a reason")


def sign_interpretation(
    *, key: str, option: str, pack: str, valid_from: date, signed_on: date, reason: str, actor: str, clause: str = ""
) -> SignedInterpretation:
    """One signed record. Raises UnknownPack, UnknownKey, UnknownOption, or NoReasonError; then nothing is written."""
    question = catalogue.pack(pack).interpretation(key)
    if option not in question.options:
        raise UnknownOption(key, option, tuple(question.options))
    if not reason.strip():
        raise NoReasonError(key)
    with act("sign_interpretation", actor=actor, subject=f"{pack}:{key}", clause=clause, why=reason.strip()) as row:
        record = SignedInterpretation.objects.create(
            key=key,
            option=option,
            pack=pack,
            valid_from=valid_from,
            signed_by=actor,
            signed_on=signed_on,
            reason=reason.strip(),
        )
        row.details = {"option": option, "was": question.chosen, "valid_from": valid_from.isoformat()}
    return record
