"""A gateway's limit of readings a second, as a bucket that fills at that rate and holds ten seconds of it."""

from dataclasses import dataclass

HOLDS_S = 10


@dataclass(slots=True)
class Bucket:
    """`level` readings may come now; a reconnected gateway may send what it kept for as long as the bucket holds."""

    per_s: int
    level: float
    at: float

    @classmethod
    def full(cls, per_s: int, now: float) -> "Bucket":
        return cls(per_s, float(per_s * HOLDS_S), now)

    def take(self, readings: int, now: float) -> bool:
        """Whether so many may come; those that may not take nothing. A message larger than the whole bucket needs a full one.

        >>> bucket = Bucket.full(10, 0.0)
        >>> bucket.take(100, 0.0), bucket.take(1, 0.0), bucket.take(10, 1.0)
        (True, False, True)
        """
        most = self.per_s * HOLDS_S
        if now > self.at:
            self.level = min(most, self.level + (now - self.at) * self.per_s)
            self.at = now
        if self.level < min(readings, most):
            return False
        self.level -= readings
        return True
