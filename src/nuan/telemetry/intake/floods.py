"""A gateway that sends nothing but rubbish must not fill the disk with it: of one kind a minute so many are kept whole, the rest counted.

What only came too fast is no rubbish: a gateway that was cut off for a day empties its memory at full speed. Of that much more is kept.
"""

from dataclasses import dataclass, field

MOST_A_MINUTE = 600
GOOD = frozenset({"rate"})
"""Reasons of letters that hold good readings."""
GOOD_BYTES_A_MINUTE = 16 << 20
"""Of a gateway's good letters so much is kept, where they are more than `MOST_A_MINUTE`: at 30 bytes a reading half a million readings."""


@dataclass(slots=True)
class FloodGate:
    """`let` says whether a dead letter is kept; `counted` gives, once a minute has passed, what was only counted in it."""

    most: int = MOST_A_MINUTE
    good_bytes: int = GOOD_BYTES_A_MINUTE
    _minute: int = 0
    _kept: dict[tuple[str, str], int] = field(default_factory=dict)
    _bytes: dict[tuple[str, str], int] = field(default_factory=dict)
    _over: list[tuple[str, str, int]] = field(default_factory=list)
    _only_counted: dict[tuple[str, str], int] = field(default_factory=dict)

    def let(self, gateway: str, reason: str, arrival_s: int, size: int = 0) -> bool:
        """Count one of `size` bytes; whether it is kept whole."""
        self._roll(arrival_s)
        key = gateway, reason
        kept, held = self._kept.get(key, 0), self._bytes.get(key, 0)
        if kept >= self.most and (reason not in GOOD or held + size > self.good_bytes):
            self._only_counted[key] = self._only_counted.get(key, 0) + 1
            return False
        self._kept[key], self._bytes[key] = kept + 1, held + size
        return True

    def counted(self, arrival_s: int) -> list[tuple[str, str, int]]:
        """(gateway, reason, letters that were only counted) of minutes that are over, each told once.

        >>> gate = FloodGate(most=1, good_bytes=100)
        >>> gate.let("G1", "line", 60), gate.let("G1", "line", 61), gate.counted(61), gate.counted(120)
        (True, False, [], [('G1', 'line', 1)])
        >>> [gate.let("G1", "rate", 120, size=40) for _ in range(3)]
        [True, True, False]
        """
        self._roll(arrival_s)
        over, self._over = self._over, []
        return over

    def _roll(self, arrival_s: int) -> None:
        minute = arrival_s // 60
        if minute != self._minute:
            self._over += [(*key, count) for key, count in self._only_counted.items()]
            for seen in (self._kept, self._bytes, self._only_counted):
                seen.clear()
            self._minute = minute
