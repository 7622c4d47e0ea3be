"""Whether what a home was refunded too much may be taken from its next refund: a question of its own, signed by the place or left alone."""

from datetime import date

from nuan.rules.pack import Pack

QUESTION = "claim_set_off"
GROUND_ZH = "《中华人民共和国民法典》第五百六十八条"
"""Set-off of debts of one kind between the same two; whoever sets off tells the other, and it works from then on."""


def may_be_set_off(pack: Pack, at: date) -> bool:
    """Only where that is signed; an open question pays the whole refund.

    >>> from nuan.policies.catalogue import pack
    >>> may_be_set_off(pack("demo-city"), date(2026, 3, 1)), may_be_set_off(pack("directive"), date(2026, 3, 1))
    (True, False)
    """
    return pack.interpretation(QUESTION, at).chosen == "set_off"
