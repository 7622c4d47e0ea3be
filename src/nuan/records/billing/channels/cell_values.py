"""What stands in a cell: money in yuan, a payer whom nobody should be able to read, a dash that means nothing."""

import hashlib
import re

from nuan.terms.money import MoneyTextError, parse_yuan


class UnreadableMoneyError(ValueError):
    """A text that is no whole number of fen."""


def fen_of(text: str) -> int:
    """Fen from yuan; zeros beyond the second decimal are allowed (`0.01000`), anything else there is not.

    >>> fen_of("1,234.50000"), fen_of("-0.01")
    (123450, -1)
    """
    bare = re.sub(r"(\.\d\d)0+$", r"\1", text.strip())
    try:
        return parse_yuan(bare)
    except MoneyTextError as error:
        raise UnreadableMoneyError(str(error)) from None


def present(text: str) -> str:
    return "" if text in {"0", "/", "-", "—"} else text


def payer_key(text: str) -> str:
    """By which a platform's account is known again without being named; a person's name is no account.

    >>> payer_key("王秀兰"), len(payer_key("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"))
    ('', 24)
    """
    if not text or any("\u4e00" <= char <= "\u9fff" for char in text) or "*" in text:
        return ""
    return hashlib.sha256(f"payer {text}".encode()).hexdigest()[:24]


def masked_payer(text: str) -> str:
    """Enough to recognise, not enough to know: the first character of a name, the last four of a number.

    >>> masked_payer("王秀兰"), masked_payer("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"), masked_payer("")
    ('王**', '…eS6o', '')
    """
    if not text:
        return ""
    if any("\u4e00" <= char <= "\u9fff" for char in text[:2]):
        return text[0] + "**"
    return "…" + text[-4:]
