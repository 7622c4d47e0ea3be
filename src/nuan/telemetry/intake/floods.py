"""A gateway that sends nothing but rubbish must not fill the disk with it: of one kind a minute so many are kept whole, the rest counted."""

from dataclasses import dataclass, field

MOST_A_MINUTE = 600


@dataclass(slots=True)
class FloodGate:
    """`let` says whether a dead letter is kept; `counted` gives, once a minute has passed, what was only counted in it."""

    most: int = MOST_A_MINUTE
    _minute: int = 0
    _seen: dict[tuple[str, str], int] = field(default_factory=dict)
    _over: list[tuple[str, str, int]] = field(default_factory=list)

    def let(self, gateway: str, reason: str, arrival_s: int) -> bool:
        """Count one; whether it is kept whole."""
        self._roll(arrival_s)
        key = gateway, reason
        seen = self._seen.get(key, 0) + 1
        self._seen[key] = seen
        return seen <= self.most

    def counted(self, arrival_s: int) -> list[tuple[str, str, int]]:
        """(gateway, reason, letters that were only counted) of minutes that are over, each told once.

        >>> gate = FloodGate(most=1)
        >>> gate.let("G1", "rate", 60), gate.let("G1", "rate", 61), gate.counted(61), gate.counted(120)
        (True, False, [], [('G1', 'rate', 1)])
        """
        self._roll(arrival_s)
        over, self._over = self._over, []
        return over

    def _roll(self, arrival_s: int) -> None:
        minute = arrival_s // 60
        if minute != self._minute:
            self._over += [(*key, seen - self.most) for key, seen in self._seen.items() if seen > self.most]
            self._seen.clear()
            self._minute = minute
