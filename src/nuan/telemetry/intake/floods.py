"""A gateway that sends nothing but rubbish must not fill the disk with it: of one kind a minute so many are kept whole, the rest counted.

What only came too fast is no rubbish: a gateway that was cut off for a day empties its memory at full speed. None of that is only counted: of
what comes faster than may be kept, nothing is acknowledged (`room`), and the broker keeps it.
"""

from dataclasses import dataclass, field

from nuan.telemetry.intake.token_bucket import TokenBucket

MOST_A_MINUTE = 600
GOOD = frozenset({"rate"})
"""Reasons of letters that hold good readings."""
GOOD_BYTES_A_MINUTE = 16 << 20
"""Of a gateway's good letters so much is taken, and once as much at a time: at 30 bytes a reading half a million readings."""


@dataclass(slots=True)
class FloodGate:
    """`let` says whether a dead letter is kept; `counted` gives, once a minute has passed, what was only counted in it."""

    most: int = MOST_A_MINUTE
    good_bytes: int = GOOD_BYTES_A_MINUTE
    _minute: int = 0
    _kept: dict[tuple[str, str], int] = field(default_factory=dict)
    _good: dict[str, TokenBucket] = field(default_factory=dict)
    _over: list[tuple[str, str, int]] = field(default_factory=list)
    _only_counted: dict[tuple[str, str], int] = field(default_factory=dict)

    def let(self, gateway: str, reason: str, arrival_s: int, size: int = 0) -> bool:
        """Count one of `size` bytes; whether it is kept whole. Good ones are, whoever asked for `room` or not."""
        if reason in GOOD:
            self._bucket(gateway, arrival_s).take(size, arrival_s)
            return True
        self._roll(arrival_s)
        key = gateway, reason
        kept = self._kept.get(key, 0)
        if kept >= self.most:
            self._only_counted[key] = self._only_counted.get(key, 0) + 1
            return False
        self._kept[key] = kept + 1
        return True

    def room(self, gateway: str, arrival_s: int) -> bool:
        """Whether a good letter of the gateway may be taken now.

        >>> gate = FloodGate(good_bytes=60)
        >>> gate.room("G1", 0), gate.let("G1", "rate", 0, size=70), gate.room("G1", 5), gate.room("G2", 5), gate.room("G1", 11)
        (True, True, False, True, True)
        """
        return not self._bucket(gateway, arrival_s).wait_s(arrival_s)

    def _bucket(self, gateway: str, arrival_s: int) -> TokenBucket:
        bucket = self._good.get(gateway)
        if bucket is None:
            bucket = self._good[gateway] = TokenBucket(self.good_bytes / 60, arrival_s, burst_s=60.0)
        return bucket

    def counted(self, arrival_s: int) -> list[tuple[str, str, int]]:
        """(gateway, reason, letters that were only counted) of minutes that are over, each told once.

        >>> gate = FloodGate(most=1)
        >>> gate.let("G1", "line", 60), gate.let("G1", "line", 61), gate.counted(61), gate.counted(120)
        (True, False, [], [('G1', 'line', 1)])
        """
        self._roll(arrival_s)
        over, self._over = self._over, []
        return over

    def _roll(self, arrival_s: int) -> None:
        minute = arrival_s // 60
        if minute != self._minute:
            self._over += [(*key, count) for key, count in self._only_counted.items()]
            for seen in (self._kept, self._only_counted):
                seen.clear()
            self._minute = minute
