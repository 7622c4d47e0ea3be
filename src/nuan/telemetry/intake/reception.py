"""Messages → a batch of readings and dead letters, for one worker: whose they are, how they are read, what is refused and why."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.intake.directory import Directory, Gateway
from nuan.telemetry.intake.floods import FloodGate
from nuan.telemetry.intake.gateway_book import GatewayBook
from nuan.telemetry.intake.placing import IGNORED, Placer, Refused, wrong_time
from nuan.telemetry.intake.plain_json import plain
from nuan.telemetry.intake.readers import Letterhead, read
from nuan.telemetry.intake.routes import Route, route
from nuan.telemetry.intake.token_bucket import TokenBucket
from nuan.telemetry.protocols.details import MOST_DETAIL, said
from nuan.telemetry.protocols.parsed import PAYLOAD_LIMIT, Reply
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store.lanes import DeadLetter

LARGEST_MESSAGE = 256 << 10
NO_LINE = -1
MOST_SENDERS, MOST_NAMES = 500_000, 2_000
"""Topics, and names of one device, that are remembered; a sender that invents new ones costs time, not memory."""
Register = Callable[[Sequence[SeriesKey]], Awaitable[NDArray[np.uint32]]]
"""Numbers of series in the lane (`GroupCommit.register`)."""


@dataclass(slots=True)
class Sender:
    """What a topic means, looked up once: the route, its gateway, and the points of its device that were seen."""

    route: Route
    gateway: Gateway
    zone: tzinfo
    bucket: TokenBucket
    lines: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Harvest:
    """What came of some messages; durable together or not at all."""

    batch: ReadingBatch
    letters: list[DeadLetter]


class Reception:
    """`message` for each, then `harvest` for all since the last time."""

    def __init__(self, directory: Directory, book: GatewayBook, *, stamp_by_arrival: bool = False) -> None:
        self._stamp = stamp_by_arrival
        self.placer, self.book = Placer(directory), book
        self._flood = FloodGate()
        self._buckets: dict[str, TokenBucket] = {}
        self._zones: dict[str, tzinfo] = {}
        self._senders: dict[str, Sender] = {}
        self._letters: list[DeadLetter] = []
        self._replies: list[Reply] = []
        self.use(directory)

    def use(self, directory: Directory) -> None:
        """Another edition of the directory: what topics mean is asked again."""
        self.directory = directory
        self.placer.use(directory)
        self._senders.clear()
        for code, gateway in directory.gateways.items():
            bucket = self._buckets.get(code)
            if bucket is not None:
                bucket.rate = gateway.max_readings_per_s

    def message(self, topic: str, payload: bytes, arrival_s: int) -> bool:
        """Read one message; whatever it is, it ends as readings, as a dead letter, or as both. False: not now, and nothing was done. Its
        gateway sends faster than it may and than is kept beside; whoever holds the acknowledgement back loses nothing."""
        sender = self._senders.get(topic)
        if sender is None:
            sender = self._meet(topic, arrival_s)
        if sender is None:
            self._stranger(topic, payload, arrival_s)
            return True
        fast = sender.bucket.wait_s(arrival_s) > 0
        if fast and not self._flood.room(sender.gateway.code, arrival_s):
            return False
        if len(payload) > LARGEST_MESSAGE:
            self._letter(sender, topic, arrival_s, "too_large", said("bytes", len(payload)), payload)
        elif sender.route.protocol != "json" or not self._plainly(sender, topic, payload, arrival_s, fast):
            self._fully(sender, topic, payload, arrival_s, fast)
        return True

    def _plainly(self, sender: Sender, topic: str, payload: bytes, arrival_s: int, fast: bool) -> bool:
        """The quick way for plain JSON of known points. False: nothing was taken, go the full way."""
        found = plain(payload)
        if found is None:
            return False
        time_s, values, time_key = found
        when = arrival_s if time_s is None else time_s
        if time_s is not None and wrong_time(time_s, arrival_s):
            return False
        lines, limit, chosen = sender.lines, self.placer.limit, []
        for name, value in values.items():
            if name == time_key:
                continue
            line = lines.get(name)
            if line is None:
                asked = self.placer.line_of(sender.gateway.code, sender.route.device, name)
                if isinstance(asked, Refused) and asked is not IGNORED:
                    return False
                if len(lines) > MOST_NAMES:
                    lines.clear()
                line = lines[name] = NO_LINE if isinstance(asked, Refused) else asked
            if line == NO_LINE:
                continue
            if not -limit[line] < value < limit[line]:
                return False
            chosen.append((line, value))
        if fast:
            self._letter(sender, topic, arrival_s, "rate", said("rate", sender.gateway.max_readings_per_s), payload)
            return True
        sender.bucket.take(len(chosen), arrival_s)
        put = self.placer.put
        for line, value in chosen:
            put(line, when, value)
        self.book.page(sender.gateway.code).heard(arrival_s, time_s)
        return True

    def _fully(self, sender: Sender, topic: str, payload: bytes, arrival_s: int, fast: bool) -> None:
        code = sender.gateway.code
        parsed = read(Letterhead(sender.route, topic, sender.zone, sender.gateway, self.directory), payload)
        self._replies += parsed.replies
        if parsed.points and fast:
            self._letter(sender, topic, arrival_s, "rate", said("rate", sender.gateway.max_readings_per_s), payload)
            return
        sender.bucket.take(len(parsed.points), arrival_s)
        own = sender.route.device == code and sender.route.protocol == "thingsboard"
        for refused in self.placer.add(code, parsed.points, arrival_s, stamp_by_arrival=self._stamp):
            if not own:
                self._letter(sender, topic, arrival_s, refused.code, refused.detail, payload)
        for problem in parsed.problems:
            self._letter(sender, topic, arrival_s, problem.code, problem.detail, problem.payload or payload)
        times = [point.time_s for point in parsed.points if point.time_s is not None]
        self.book.page(code).heard(arrival_s, max(times) if times else None)

    def replies(self) -> list[Reply]:
        """What protocols want sent back since the last time; it may go out at once."""
        replies, self._replies = self._replies, []
        return replies

    async def harvest(self, register: Register, arrival_s: int) -> Harvest:
        """Everything since the last time; series that are new get their numbers first."""
        for gateway, reason, count in self._flood.counted(arrival_s):
            self._letters.append(DeadLetter(gateway, "", arrival_s, "flood", said("flood", reason, count), b""))
        letters, self._letters = self._letters, []
        if keys := self.placer.wanting():
            numbers = await register(keys)
            self.book.own(self.placer.owners(), numbers)
            self.placer.given(numbers)
        return Harvest(self.placer.take(), letters)

    def _meet(self, topic: str, arrival_s: int) -> Sender | None:
        where = route(topic)
        gateway = None if where is None else self.directory.gateway(where.gateway)
        if where is None or gateway is None:
            return None
        if len(self._senders) > MOST_SENDERS:
            self._senders.clear()
        bucket = self._buckets.get(gateway.code)
        if bucket is None:
            bucket = self._buckets[gateway.code] = TokenBucket(gateway.max_readings_per_s, arrival_s)
        zone = self._zones.get(gateway.timezone)
        if zone is None:
            zone = self._zones[gateway.timezone] = ZoneInfo(gateway.timezone)
        sender = self._senders[topic] = Sender(where, gateway, zone, bucket)
        return sender

    def _stranger(self, topic: str, payload: bytes, arrival_s: int) -> None:
        where = route(topic)
        if where is None:
            self._keep("", topic, arrival_s, "wrong_topic", topic, payload)
        else:
            self._keep(where.gateway, topic, arrival_s, "unknown_gateway", where.gateway, payload)

    def _letter(self, sender: Sender, topic: str, arrival_s: int, reason: str, detail: str, payload: bytes) -> None:
        self.book.page(sender.gateway.code).letters += 1
        self._keep(sender.gateway.code, topic, arrival_s, reason, detail, payload)

    def _keep(self, gateway: str, topic: str, arrival_s: int, reason: str, detail: str, payload: bytes) -> None:
        """A letter's protocol is the topic: all that is needed to read its bytes again."""
        if self._flood.let(gateway, reason, arrival_s, len(payload)):
            letter = DeadLetter(
                gateway[:60], topic[:200], arrival_s, reason, detail[:MOST_DETAIL], payload[:PAYLOAD_LIMIT]
            )
            self._letters.append(letter)
