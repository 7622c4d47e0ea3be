"""Comparison words are law: which of them include the figure decides who is paid."""

from enum import Enum
from typing import overload

import numpy as np
from numpy.typing import NDArray


class Comparison(Enum):
    """What a comparison word means. Civil Code art. 1259: 以上、以下、以内、届满 include the figure; 不满、超过、以外 exclude it."""

    AT_LEAST = ">="
    MORE_THAN = ">"
    AT_MOST = "<="
    LESS_THAN = "<"

    @classmethod
    def from_word(cls, word: str) -> "Comparison":
        """
        >>> Comparison.from_word("超过")
        <Comparison.MORE_THAN: '>'>
        """
        try:
            return _WORDS[word]
        except KeyError:
            raise ValueError(f"“{word}” is no comparison word; known: {'、'.join(_WORDS)}") from None

    @overload
    def holds(self, value: int, threshold: int) -> bool: ...
    @overload
    def holds(self, value: NDArray[np.int64], threshold: int) -> NDArray[np.bool_]: ...
    def holds(self, value: int | NDArray[np.int64], threshold: int) -> bool | NDArray[np.bool_]:
        if self is Comparison.AT_LEAST:
            return value >= threshold
        if self is Comparison.MORE_THAN:
            return value > threshold
        if self is Comparison.AT_MOST:
            return value <= threshold
        return value < threshold

    @property
    def sign(self) -> str:
        return {">=": "≥", ">": ">", "<=": "≤", "<": "<"}[self.value]


_WORDS = {
    "以上": Comparison.AT_LEAST, "不低于": Comparison.AT_LEAST, "不少于": Comparison.AT_LEAST, "达到": Comparison.AT_LEAST,
    "高于或者等于": Comparison.AT_LEAST, "不得低于": Comparison.AT_LEAST, "超过": Comparison.MORE_THAN, "高于": Comparison.MORE_THAN,
    "以下": Comparison.AT_MOST, "以内": Comparison.AT_MOST, "不超过": Comparison.AT_MOST, "不高于": Comparison.AT_MOST,
    "不满": Comparison.LESS_THAN, "低于": Comparison.LESS_THAN, "不足": Comparison.LESS_THAN,
}  # fmt: skip
