"""A judging is killed with -9 in the middle and called again: nothing is lost and nothing is double."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection
from judged_city import judge, register

from nuan.operations.acts import verify_chain
from nuan.records.registry.models import Home
from nuan.records.supervision.models import CurrentJudgement, HomeSeason, Judgement, Run, RunBucket


def database_url() -> str:
    """The address of this test's database, for another process."""
    said = connection.settings_dict
    return f"postgresql://{said['USER']}:{said['PASSWORD']}@:{said['PORT']}/{said['NAME']}?host={said['HOST']}".replace(
        "@:/", "@/"
    )


SCRIPT = """
import json, sys
from datetime import UTC, datetime
from nuan.cli.main import setup_records
setup_records()
from django.conf import settings
from nuan.operations.judging import judge_season
from nuan.telemetry.store import Store
with Store(settings.READINGS_ROOT) as store:
    moment = datetime(2026, 6, int(sys.argv[1]), tzinfo=UTC)
    # many small pieces, so that there is a middle
    report = judge_season("2025-2026", actor="test", store=store, as_of=moment, piece_homes=1)
print(json.dumps(report.as_dict()))
"""


def judging(home: Path, day: int) -> "subprocess.Popen[str]":
    environment = os.environ | {"NUAN_HOME": str(home), "DATABASE_URL": database_url()}
    command = [sys.executable, "-c", SCRIPT, str(day)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on(own_readings: Path, tmp_path: Path) -> None:
    register()
    first = judging(tmp_path, day=1)
    deadline = time.monotonic() + 120
    while RunBucket.objects.count() < 3:
        assert time.monotonic() < deadline
        assert first.poll() is None, first.communicate()
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    run = Run.objects.get()
    assert run.state == Run.State.RUNNING
    done_before = set(RunBucket.objects.values_list("bucket", flat=True))
    assert CurrentJudgement.objects.count() == Judgement.objects.count() > 0

    second = judging(tmp_path, day=2)
    out, errors = second.communicate(timeout=300)
    assert second.returncode == 0, errors
    report = json.loads(out)
    assert report["continued"]
    assert report["run_id"] == run.pk
    assert report["pieces_judged"] == report["pieces"] - len(done_before)
    run.refresh_from_db()
    assert run.state == Run.State.DONE
    assert HomeSeason.objects.count() == Home.objects.count()
    assert CurrentJudgement.objects.count() == Judgement.objects.count()
    assert verify_chain() == []

    whole = judge(own_readings, tmp_path / "runs", force=True)
    assert whole.homes_judged == Home.objects.count()
    assert whole.written == 0
