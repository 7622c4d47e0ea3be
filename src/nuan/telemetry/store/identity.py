"""Who a lane is: every opening has an identity of its own, so that the numbers of a copy, a restored backup or a new folder never meet old ones.

    lanes/<name>/identity    identity of the folder, then a line for each opening: first sequence number <TAB> identity

Sequence numbers count on within a folder and begin again in a new one. What others remember of them (the store's manifest, dead letters in the
records) they remember by identity: a lane that was put back to where it stood a month ago writes under one that nobody has heard of.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import uuid4

from nuan.telemetry.store.durable import write_durably
from nuan.telemetry.store.errors import StoreDamagedError

FILE = "identity"


@dataclass(frozen=True, slots=True)
class Identity:
    """`born` names the folder; `openings` are (first sequence number, identity), ascending. A lane of the first versions has its name."""

    born: str
    openings: tuple[tuple[int, str], ...]

    def of(self, sequence: int) -> str:
        """Under which identity a frame was written.

        >>> Identity("w0.a", ((1, "w0.a"), (6, "w0.b"))).of(5)
        'w0.a'
        """
        return next((name for first, name in reversed(self.openings) if first <= sequence), self.openings[0][1])

    def position(self, positions: Mapping[str, int]) -> int:
        """Up to which sequence number of this folder the positions go. One that was told by a lane that is no more counts only as far as
        that one and this are the same.

        >>> Identity("w0.a", ((1, "w0.a"), (6, "w0.b"))).position({"w0.a": 90})
        5
        """
        end = None
        for first, name in reversed(self.openings):
            if name in positions:
                return positions[name] if end is None else min(positions[name], end)
            end = first - 1
        return 0

    def names(self) -> Iterator[str]:
        return (name for _, name in self.openings)

    def opened(self, lane: str, next_sequence: int, oldest: int) -> Self:
        """With a new opening; without those of which no frame is left (`oldest`: the first that may be there) or ever was."""
        ends = [first - 1 for first, _ in self.openings[1:]] + [next_sequence - 1]
        kept = [each for each, end in zip(self.openings, ends, strict=True) if oldest <= end and each[0] <= end]
        return type(self)(self.born, (*kept, (next_sequence, new_name(lane))))

    def write(self, folder: Path) -> None:
        lines = [self.born, *(f"{first}\t{name}" for first, name in self.openings)]
        write_durably(folder / FILE, "\n".join(lines).encode())


def new_name(lane: str) -> str:
    return f"{lane}.{uuid4().hex}"


def new_identity(lane: str) -> Identity:
    name = new_name(lane)
    return Identity(name, ((1, name),))


def identity_of(folder: Path) -> Identity:
    """Of a lane's folder; raises StoreDamagedError."""
    path = folder / FILE
    try:
        born, *lines = path.read_text("utf-8").split("\n")
        pairs = [line.split("\t") for line in lines]
        openings = tuple((int(first), name) for first, name in pairs)
    except FileNotFoundError:
        return Identity(folder.name, ((0, folder.name),))
    except ValueError as error:
        raise StoreDamagedError(path, f"cannot be read ({error})") from error
    if not openings:
        raise StoreDamagedError(path, "names no opening")
    return Identity(born, openings)
