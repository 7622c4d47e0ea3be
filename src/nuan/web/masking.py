"""What people wrote on a payment, before it leaves in a file: doors, phone numbers and residents' names are taken out of it."""

import re
from collections.abc import Collection, Iterable

from nuan.records.billing.matching import TOKEN, tokens
from nuan.records.registry.models import Home, Resident

CHINESE_RUN = re.compile(r"[\u4e00-\u9fff·]{2,}")
NAME_LENGTHS = (4, 3, 2)
PHONE = re.compile(r"(?<!\d)(1\d\d)\d{8}(?!\d)")
ROOM = re.compile(r"\d+(?=\s*[室房])")


def known_in(texts: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Codes of homes (upper case) and names of residents that stand in any of the texts."""
    words = list({word for text in texts for word in tokens([text])})
    homes = Home.objects.extra(where=["upper(code) = ANY(%s)"], params=[words]).values_list("code", flat=True)
    parts = list({part for text in texts for part in _parts(text)})
    names = Resident.objects.extra(where=["name = ANY(%s)"], params=[parts]).values_list("name", flat=True).distinct()
    return frozenset(code.upper() for code in homes), frozenset(names)


def _parts(text: str) -> Iterable[str]:
    """What may be a name: every stretch of two to four characters."""
    for run in CHINESE_RUN.findall(text):
        for length in NAME_LENGTHS:
            yield from (run[at : at + length] for at in range(len(run) - length + 1))


def without_persons(text: str, homes: Collection[str], names: Collection[str] = ()) -> str:
    """
    >>> without_persons("b001-1-0101 王秀兰 采暖费 13800138000，3 单元 502 室 C01-2025-0000042", {"B001-1-0101"}, {"王秀兰"})
    'b001-1-** 王** 采暖费 138****，3 单元 ** 室 C01-2025-0000042'
    """
    bare = TOKEN.sub(lambda found: found[0].rpartition("-")[0] + "-**" if found[0].upper() in homes else found[0], text)
    for name in sorted(names, key=len, reverse=True):
        bare = bare.replace(name, name[0] + "*" * (len(name) - 1))
    return ROOM.sub("**", PHONE.sub(r"\1****", bare))
