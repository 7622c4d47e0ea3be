"""The page 数据质量 every hour while the intake runs: `nuan quality` in a process of its own, at a low priority; and `nuan ledger seal`, so that
no day of the ledger waits for somebody to think of it.

The recording process only starts it and looks whether it is done, so that no alarm waits for a count.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence

FIRST_S, EVERY_S = 600.0, 3_600.0
"""运行参数: after the start of the intake, and from one beginning to the next."""
LONGEST_S = 3_000.0
"""运行参数: a count that takes longer is ended; the next one begins anew."""
LEAVE_S = 5.0
_NUAN = ("nice", "-n", "10", sys.executable, "-c", "from nuan.cli.main import main; main()")
COMMAND, SEAL = (*_NUAN, "quality"), (*_NUAN, "ledger", "seal")


class Hourly:
    """`look` as often as you like: never waits, never runs two."""

    def __init__(self, command: Sequence[str] = COMMAND, clock: Callable[[], float] = time.monotonic) -> None:
        self.command, self.clock = list(command), clock
        self.due = clock() + FIRST_S
        self.begun = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.last = ""

    def look(self) -> str:
        """What became of the last one, for the status line."""
        now = self.clock()
        if self.process is not None:
            code = self.process.poll()
            if code is None and now - self.begun > LONGEST_S:
                self.leave()
                self.last = f"ended after {LONGEST_S:.0f} s"
            elif code is None:
                return "running"
            else:
                self.process, self.last = None, f"exit code {code}"
        if now >= self.due:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
            )
            self.begun, self.due = now, now + EVERY_S
            return "running"
        return self.last

    def leave(self) -> None:
        """End what runs; it wrote whole transactions or nothing."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
