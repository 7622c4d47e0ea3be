"""What is told: an alarm, and when it is told again."""

from dataclasses import dataclass

LEAK, LEAK_UPDATE, LEAK_END, DUCT_WET, DUCT_HEAT_LOSS = "leak", "leak_update", "leak_end", "duct_wet", "duct_heat_loss"
UPDATE_H = (1.0, 6.0, 12.0, 23.0)
"""Hours after the alarm at which it is looked at again."""
SHOWN_PIPES = 20


@dataclass(frozen=True, slots=True)
class Alarm:
    """`pipes`: (pipe, probability), the likeliest first; empty where nothing is known of the place. `side`: supply, return or empty.

    `size_t_h` is the leak (NaN for ducts). `confidence` is that there is a leak at all, 0.5 to 1. `since_s`: when it seems to have begun.
    `event` numbers what belongs together: an alarm, its updates, its end.
    """

    time_s: float
    kind: str
    event: int
    pipes: tuple[tuple[str, float], ...] = ()
    size_t_h: float = float("nan")
    side: str = ""
    side_probability: float = 0.5
    confidence: float = 0.5
    since_s: float = float("nan")
    found_by: str = ""
    near_confidence: float = float("nan")
    """Probability that the leak is within 300 m of the first pipe; NaN without a ranking."""


def confidence(strength: float) -> float:
    """From how far a sum is above its limit: at the limit 0.8, at twice the limit 0.96.

    >>> round(confidence(1.0), 2), round(confidence(2.0), 2)
    (0.8, 0.96)
    """
    return float(1.0 - 0.2 ** max(min(strength, 4.0), 0.5))
