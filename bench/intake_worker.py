"""One intake worker for `bench.intake`: the HTTP doors over a lane, with a directory of heat meters and no other part of the platform.

python -m bench.intake_worker FOLDER PORT
"""

import sys
import time

import uvicorn
from bench.intake_peers import DEVICES, FIELDS, TOKEN

from nuan.telemetry.intake.commit import GroupCommit
from nuan.telemetry.intake.directory import Directory, Gateway, Placed, ProfilePoint, digest_of
from nuan.telemetry.intake.http import http_app
from nuan.telemetry.intake.live_flags import LiveFlags
from nuan.telemetry.store.lanes import Lane

POINTS = {field: ProfilePoint(field, "primary") for field in FIELDS}


def directory() -> Directory:
    gateway = Gateway("BENCH", "C01", "line", max_readings_per_s=10**9, max_series=10**7)
    devices = {f"8800{meter:07d}": Placed(f"M{meter:07d}", POINTS) for meter in range(DEVICES)}
    return Directory(1, {"BENCH": gateway}, {digest_of(TOKEN): "BENCH"}, {"BENCH": devices})


def serve(folder: str, port: int) -> None:
    """With the flags of live readings, as a real worker: they are part of what intake costs."""
    known, lane = directory(), Lane(folder, "bench", ahead=True)
    flags = LiveFlags(lane.series())
    commit = GroupCommit(lane, time.time, flagger=flags.flagged, on_register=flags.declare)
    app = http_app(lambda: known, commit, time.time)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=75,
    )


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
