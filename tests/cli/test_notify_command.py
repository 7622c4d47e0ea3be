"""`nuan notify` and `nuan quality` from the outside: who is told, what could not be sent, and what is counted."""

import json
from datetime import UTC, datetime
from pathlib import Path

import django
import pytest
from click.testing import CliRunner, Result

django.setup()

from nuan.cli.main import main  # noqa: E402

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def records(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own records: the command's own preparation would look for others."""
    import nuan.cli.notify
    import nuan.cli.quality

    for command in (nuan.cli.notify, nuan.cli.quality):
        monkeypatch.setattr(command, "setup_records", lambda: None)


def nuan(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def waiting(address: str = "13900001111") -> None:
    from nuan.records.monitoring.models import Notice

    now = datetime(2026, 1, 20, tzinfo=UTC)
    content = {
        "alarm": 1, "event": "raise", "priority": 1, "words_zh": "换热站循环停止", "words_en": "no flow", "place": "第1换热站", "station": "S1",
        "raised_at": now.isoformat(), "escalated_to": "",
    }  # fmt: skip
    Notice.objects.create(
        key="1-1", event="raise", channel="sms", address=address, role="dispatch", content=content, next_try_at=now, created_at=now
    )  # fmt: skip


def test_what_is_due_is_sent_and_the_command_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUAN_SMS_FOLDER", str(tmp_path))
    waiting()
    done = nuan("notify", "--once")
    assert (done.exit_code, "已发 1" in done.output) == (0, True)
    assert json.loads((tmp_path / "1-1.json").read_text("utf-8"))["to"] == "13900001111"
    assert nuan("notify", "--once").output == ""


def test_what_cannot_be_sent_is_said_by_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUAN_SMS_FOLDER", raising=False)
    waiting()
    assert nuan("notify", "--once").exit_code == 1


def test_a_route_needs_an_address_and_a_place_that_exist() -> None:
    from nuan.records.monitoring.models import NoticeRoute
    from small_city import build_city

    build_city()
    hook = ("notify", "route", "webhook", "https://duty.example/alarms", "--role", "dispatch", "--place")
    assert nuan(*hook, "C09").exit_code == 2
    assert nuan("notify", "route", "email", "nobody", "--role", "dispatch").exit_code == 2
    assert nuan("notify", "route", "email", "a@heat.example.cn", "--role", "boss").exit_code == 2
    assert not NoticeRoute.objects.exists()
    assert nuan(*hook, "C01").exit_code == 0
    assert NoticeRoute.objects.get().place_code == "C01"


def test_quality_without_readings_is_refused(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings.READINGS_ROOT = tmp_path / "nothing"
    assert nuan("quality").exit_code == 2
