"""Pulling the plug loses nothing: the fleet plays while workers are killed, the broker restarts, the network is cut and the disk is full.

Five minutes, on any machine: what is slow only makes it longer. The half hour is `python -m bench.soak`.
"""

import pytest
from soak_rig import Rig, Schedule, torment

FAULTS = (
    "duplicate=1%",
    "late=2%:15",
    "disorder=5%",
    "garbage=0.5%",
    "clock=2%:600",
    "stuck=1%",
    "swapped=1%",
    "units=1%",
    "reset=2%:20",
    "dropout=1%",
)


SECONDS, RATE = 300, 5_000


@pytest.mark.long
def test_every_acknowledged_reading_is_there_once() -> None:
    rig = Rig(homes=2_000)
    try:
        rig.up()
        summary = torment(rig, Schedule.of(SECONDS), rate=RATE, faults=FAULTS)
        rig.down()
        report, deaths = rig.check(), rig.deaths()
    finally:
        rig.down()
        rig.remove()
    story = "\n".join([*rig.log, str(summary), str(report)])
    assert summary["left"] == 0, story
    assert summary["refused"] == 0, story
    assert summary["nobody_listened"] == 0, (
        f"the broker forgot who listens: a gateway of MQTT 3.1.1 would have lost these\n{story}"
    )
    assert report["ok"], story
    assert report["stored"] == report["acknowledged"] == summary["acknowledged"], story
    assert summary["sent_again"] > 0, f"nothing was ever lost on the way, so nothing was shown\n{story}"
    assert deaths.count(-9) >= 3, f"{deaths}\n{story}"
    assert any(code != -9 for code in deaths), f"the full disk stopped nobody\n{deaths}\n{story}"
    assert summary["acknowledged"] > 0.2 * RATE * SECONDS, f"too little was played to show anything\n{story}"
