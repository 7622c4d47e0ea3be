"""Faults that a simulated fleet can have, each with its share: what devices, clocks and networks really do.

duplicate=1%          a message is sent twice
late=2%:600           a device's report waits up to so many seconds before it is sent
disorder=5%           reports of a batch are sent in another order
dropout=1%            a report is never sent
garbage=0.5%          a damaged message goes along with a good one
clock=5%:900          devices whose clock is ahead by so many seconds (may be negative)
stuck=1%              devices that repeat their first values
swapped=2%            meters that were built in with supply and return swapped
units=1%              meters that count in another unit than they were registered with (a thousandth)
reset=1%:300          meters whose counters start again from zero so many seconds after the start
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from nuan.telemetry.simulation.messages import MEASUREMENT

KINDS: Mapping[str, int | None] = {
    "duplicate": None, "late": 300, "disorder": None, "dropout": None, "garbage": None, "clock": 600, "stuck": None, "swapped": None,
    "units": None, "reset": 300,
}  # fmt: skip
"""kind → seconds unless said otherwise; None: takes none."""
OF_DEVICES = ("clock", "stuck", "swapped", "units", "reset")
_FAULT = re.compile(r"^([a-z]+)=(\d+(?:\.\d+)?)%(?::(-?\d+))?$")


class FaultTextError(ValueError):
    def __init__(self, text: str) -> None:
        super().__init__(f"“{text}” is no fault; e.g. duplicate=1% or late=2%:600; known: {', '.join(KINDS)}")


@dataclass(frozen=True, slots=True)
class Fault:
    share: float = 0.0
    seconds: int = 0


@dataclass(frozen=True)
class Faults:
    """Who has what. Which devices are ill is fixed by the seed; what happens to a message is drawn each time."""

    of: Mapping[str, Fault] = field(default_factory=dict)
    seed: int = 1

    @classmethod
    def parse(cls, texts: Iterable[str], seed: int = 1) -> "Faults":
        """
        >>> Faults.parse(["late=2%:600"]).of["late"]
        Fault(share=0.02, seconds=600)
        """
        found = {}
        for text in texts:
            match = _FAULT.match(text)
            if (
                match is None
                or match[1] not in KINDS
                or float(match[2]) > 100
                or (match[3] and KINDS[match[1]] is None)
            ):
                raise FaultTextError(text)
            found[match[1]] = Fault(float(match[2]) / 100, int(match[3]) if match[3] else KINDS[match[1]] or 0)
        return cls(found, seed)

    def share(self, kind: str) -> float:
        return self.of.get(kind, Fault()).share

    def seconds(self, kind: str) -> int:
        return self.of.get(kind, Fault()).seconds

    def ill(self, kind: str, device: int) -> bool:
        """A device has this fault, or has not, for the whole run."""
        share = self.share(kind)
        if not share:
            return False
        number = np.random.Generator(np.random.PCG64([self.seed, OF_DEVICES.index(kind), device])).random()
        return bool(number < share)

    def dice(self) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self.seed, 99]))


def damaged(payload: bytes, dice: np.random.Generator) -> bytes:
    """The message as a bad line delivers it: cut, or with a byte changed where a checksum or a bracket notices it.

    Lines have neither: a line cut in its value is a good line with another value. Of them only the name is left, which is no line.
    """
    if payload.startswith(MEASUREMENT.encode() + b","):
        return payload.split(b" ", 1)[0]
    if not payload or dice.random() < 0.5:
        return payload[: len(payload) // 2]
    at = len(payload) // 3
    return payload[:at] + bytes(((payload[at] ^ 0x55) & 0xFF, 0xFF)) + payload[at + 1 :]
