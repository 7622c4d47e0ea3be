"""How many readings a gateway may send: a bucket that fills at the allowed rate."""

from dataclasses import dataclass


@dataclass(slots=True)
class TokenBucket:
    """`burst_s` seconds' worth may come at once. A batch is taken whole while anything is left, and its debt is waited for: a sender
    of large batches is not shut out, and on average the rate holds.

    >>> bucket = TokenBucket(rate=100, now=0.0)
    >>> bucket.wait_s(0.0), bucket.take(5_000, 0.0), bucket.wait_s(0.0), bucket.wait_s(50.0)
    (0.0, None, 40.01, 0.0)
    """

    rate: float
    now: float
    burst_s: float = 10.0
    left: float | None = None

    def wait_s(self, now: float) -> float:
        """Seconds until something may be taken; 0 for now. A clock that steps back fills nothing and takes nothing away."""
        full = self.rate * self.burst_s
        before = full if self.left is None else self.left
        self.left = min(full, before + max(0.0, now - self.now) * self.rate)
        self.now = now
        return 0.0 if self.left >= 1 else (1 - self.left) / self.rate

    def take(self, readings: int, now: float) -> None:
        self.wait_s(now)
        assert self.left is not None
        self.left -= readings
