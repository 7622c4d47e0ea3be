"""How an open question stands on each day of a period: a decision signed in mid-season holds from its day on, not before."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nuan.rules.interpretation import Interpretation
from nuan.rules.pack import Pack
from nuan.rules.threshold import Mask
from nuan.rules.trace import Trace
from nuan.terms.places import day_date, day_number


@dataclass(frozen=True)
class Stance:
    """`parts` are stretches `[start, stop)` of columns, each with the answer that holds there, in order."""

    parts: tuple[tuple[int, int, Interpretation], ...]

    @classmethod
    def over(cls, pack: Pack, key: str, days: range) -> "Stance":
        signed = {day_number(record.valid_from) for record in pack.signed if record.key == key and record.valid_from}
        edges = [days.start, *(day for day in sorted(signed) if days.start < day < days.stop), days.stop]
        return cls(
            tuple(
                (start - days.start, stop - days.start, pack.interpretation(key, day_date(start)))
                for start, stop in pairwise(edges)
            )
        )

    def holds(self, option: str) -> Mask:
        """bool[days]: where that option is the answer."""
        return np.concatenate([np.full(stop - start, found.chosen == option) for start, stop, found in self.parts])

    @property
    def chosen(self) -> str | None:
        """The answer at the end of the period, None while nobody has decided."""
        return self.parts[-1][2].chosen

    def why_not(self, option: str, otherwise: str) -> str:
        """The reason code where `option` never holds: unsigned, or `otherwise` when something else was decided."""
        return "" if self.holds(option).any() else "interpretation_unsigned" if self.chosen is None else otherwise

    def tell(self, trace: Trace) -> None:
        answers = list(dict.fromkeys((found.sentence("zh"), found.sentence("en")) for *_, found in self.parts))
        zh, en = ("；".join(each[i] for each in answers) for i in (0, 1))
        trace.step("解释口径", "interpretation", zh, working_en=en)
