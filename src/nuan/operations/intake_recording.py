"""The process that records: brings what the workers took in to PostgreSQL, where people see it, and the directory back to the workers.

Every step may fail while the database is away; readings and dead letters are safe in the lanes meanwhile, and each step goes on where it
stopped. What it writes is machine state: newest values, dead letters, pulses of gateways, alarms.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RETRY_S = 2.0
GIVE_UP_S = 60.0
"""So long without the embedded database and the process starts anew: that starts the database, too."""
TURN_S = 0.25
REPORT = "record.json"
NO_DATABASE = 75


@dataclass
class Step:
    """Something to do every so often. `failed` is when it first failed since it last worked."""

    name: str
    every_s: float
    act: Callable[[], Any]
    due: float = 0.0
    why_not: str = ""
    seconds: float = 0.0


@dataclass
class Recording:
    """Steps in their order, done by one thread, and what the status line needs to know."""

    steps: list[Step]
    away_since: float | None = None
    done: dict[str, Any] = field(default_factory=dict)

    def turn(self, now: float) -> None:
        """Do what is due. A database that is away is met once a turn, not once a step."""
        from django.db import InterfaceError, OperationalError, close_old_connections, connection

        close_old_connections()
        for step in self.steps:
            if now < step.due:
                continue
            begun = time.monotonic()
            try:
                self.done[step.name] = step.act()
                step.why_not, step.due = "", now + step.every_s
                self.away_since = None
            except (OperationalError, InterfaceError) as error:
                connection.close()
                step.why_not, step.due = str(error).splitlines()[0], now + RETRY_S
                self.away_since = self.away_since or now
                return
            except Exception as error:  # one step's fault does not stop the others; it is told and tried again
                step.why_not, step.due = f"{type(error).__name__}: {error}"[:300], now + max(RETRY_S, step.every_s)
                print(f"record: {step.name}: {step.why_not}", file=sys.stderr, flush=True)  # noqa: T201
            finally:
                step.seconds = time.monotonic() - begun


def recordings(root: Path, folder: Path) -> tuple[Recording, Recording]:
    """The steps, with what they remember between turns: newest values by themselves, so that no page waits for a count; and the others."""
    from nuan.operations.alarm_tick import alarm_tick
    from nuan.operations.dead_letters import known_positions, ship_dead_letters
    from nuan.operations.gateway_pulses import Pulses, worker_reports
    from nuan.operations.hazard_escalation import escalate_hazards
    from nuan.operations.intake_directory import DirectoryKeeper
    from nuan.operations.intake_folding import HANDED_OVER, handed_over, lay_down
    from nuan.operations.live import live_now, push_live
    from nuan.operations.live_city import LiveCity
    from nuan.telemetry.intake.tails import Tails

    tails, pulses, keeper, city = Tails(root), Pulses(), DirectoryKeeper(folder), LiveCity()
    state: dict[str, Any] = {"tick": 0, "positions": None}

    def now() -> datetime:
        return datetime.now(UTC)

    def live() -> int:
        tails.poll()
        changes = tails.live.changed_since(state["tick"])
        pushed = push_live(changes, tails.series)
        state["tick"] = changes.tick
        city.heard(changes, tails.series)
        return pushed

    def letters() -> int:
        if state["positions"] is None:
            state["positions"] = handed_over(folder) or known_positions()
        before = dict(state["positions"])
        if any(sequence > before.get(lane, 0) for lane, sequence in tails.dead().items()):
            state["positions"] = ship_dead_letters(root, before)
            lay_down(folder / HANDED_OVER, state["positions"])
        return sum(state["positions"].values())

    steps = [
        Step("directory", 1.0, lambda: keeper.keep(now())),
        Step("letters", 1.0, letters),
        Step("city", 2.0, lambda: city.recount(now())),
        Step("pulses", 3.0, lambda: pulses.write(worker_reports(folder))),
        Step("alarms", 5.0, lambda: str(alarm_tick(now()))),
        Step("hazards", 60.0, lambda: " ".join(escalate_hazards(live_now(now())))),
    ]
    return Recording([Step("live", 0.5, live)]), Recording(steps)


def record(root: Path, folder: Path, stop: threading.Event) -> int:
    """Until told to stop, once more then. Exit code of the process."""
    from nuan.operations.intake_folding import lay_down
    from nuan.operations.intake_quality import SEAL, Hourly

    live, rest = recordings(root, folder)
    hourly = {"quality": Hourly(), "seal": Hourly(SEAL)}
    rest.steps += [Step(name, 30.0, each.look) for name, each in hourly.items()]

    def leave() -> None:
        for each in hourly.values():
            each.leave()

    def others() -> None:
        while not stop.wait(TURN_S):
            rest.turn(time.time())

    beside = threading.Thread(target=others)
    beside.start()
    while not stop.wait(TURN_S):
        live.turn(time.time())
        lay_down(folder / REPORT, report(live, rest))
        away = live.away_since or rest.away_since
        if away and time.time() - away > GIVE_UP_S and "DATABASE_URL" not in os.environ:
            stop.set()
            beside.join()
            leave()
            return NO_DATABASE
    beside.join()
    for each in (live, rest):
        each.turn(float("inf"))
    leave()
    lay_down(folder / REPORT, report(live, rest))
    return 0


def report(*recordings: Recording) -> dict[str, Any]:
    """For the status line."""
    steps = [step for each in recordings for step in each.steps]
    return {
        "at": time.time(),
        "database_away": next((each.away_since for each in recordings if each.away_since), None),
        "faults": {step.name: step.why_not for step in steps if step.why_not},
        "seconds": {step.name: round(step.seconds, 3) for step in steps},
        "done": {name: what for each in recordings for name, what in list(each.done.items())},
    }


def main() -> int:
    """Root of the store and folder of the intake come on the standard input, which closes when the supervisor is gone."""
    settings = json.loads(sys.stdin.readline())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nuan.site.settings")
    import django

    django.setup()
    return record(Path(settings["root"]), Path(settings["folder"]), stop)


if __name__ == "__main__":
    sys.exit(main())
