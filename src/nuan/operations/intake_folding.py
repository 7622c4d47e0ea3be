"""The process that folds: takes what the workers' lanes hold over into the store, every second, for as long as it runs.

It is the store's only writer and knows no database: PostgreSQL may be away. Lanes keep their dead letters until the recording process has
said, in a file, up to where it has written them down.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from nuan.operations.store_asks import answer_asks
from nuan.telemetry.store import Store
from nuan.telemetry.store.errors import StoreBusyError, StoreFullError

EVERY_S = 1.0
FULL_PAUSE_S = 5.0
HANDED_OVER = "handed_over.json"
REPORT = "fold.json"


def handed_over(folder: Path) -> dict[str, int]:
    """By the lane's identity: up to which sequence number its dead letters are in the records."""
    try:
        found: dict[str, int] = json.loads((folder / HANDED_OVER).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found


def lay_down(path: Path, document: Any) -> None:
    """A small file in one step. A full disk takes none; the next time it may."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        new.write_text(json.dumps(document), "utf-8")
        new.replace(path)


def fold(root: Path, folder: Path, stop: threading.Event) -> None:
    """Until told to stop; what lies in the lanes then is taken over once more."""
    with Store(root, write=True) as store:
        taken = 0
        while True:
            last = stop.is_set()
            begun, why = time.monotonic(), ""
            try:
                report = store.absorb(handed_over(folder))
                taken += report.readings
                waiting = report.waiting
                answer_asks(store, folder)
            except StoreFullError as error:
                why, waiting = str(error), store.tail.readings
            lay_down(folder / REPORT, {"at": time.time(), "readings": taken, "waiting": waiting, "why_not": why})
            if last:
                return
            stop.wait(max(0.0, (FULL_PAUSE_S if why else EVERY_S) - (time.monotonic() - begun)))


def main() -> int:
    """Root of the store and folder of the intake come on the standard input, which closes when the supervisor is gone."""
    settings = json.loads(sys.stdin.readline())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    try:
        fold(Path(settings["root"]), Path(settings["folder"]), stop)
    except StoreBusyError as error:
        print(f"fold: {error}", file=sys.stderr, flush=True)  # noqa: T201
        return 75
    return 0


if __name__ == "__main__":
    sys.exit(main())
