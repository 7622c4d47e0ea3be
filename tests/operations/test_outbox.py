"""Telling is apart from detecting: a real mail server, a real web server and a folder of messages; what fails is tried again, and seen."""

import hashlib
import hmac
import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.db import connection
from living_city import Living

from nuan.operations.alarm_settings import add_notice_route, remove_notice_route
from nuan.operations.notify.channels import AddressError
from nuan.operations.notify.outbox import CLAIM, MOST_ATTEMPTS, Delivery, deliver, retry_notice
from nuan.records.monitoring.models import Alarm, Notice
from small_city import AS_OF, build_city

pytestmark = pytest.mark.django_db


class MailSink(socketserver.StreamRequestHandler):
    """Speaks as much SMTP as a mail server that takes everything."""

    def handle(self) -> None:
        said: list[str] = []
        self.wfile.write(b"220 sink\r\n")
        for line in iter(self.rfile.readline, b""):
            word = line.decode().split()[0].upper().rstrip(":")
            said.append(line.decode().strip())
            if word == "DATA":
                self.wfile.write(b"354 go on\r\n")
                body = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append((said, body.decode()))  # type: ignore[attr-defined]
            if word == "RCPT" and "nobody@" in line.decode():
                self.wfile.write(b"550 no such mailbox\r\n")
            else:
                self.wfile.write(b"221 bye\r\n" if word == "QUIT" else b"250 ok\r\n")
            if word == "QUIT":
                return


class HookSink(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def serving(server: socketserver.BaseServer) -> Iterator[socketserver.BaseServer]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[socketserver.BaseServer]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailSink)
    server.daemon_threads, server.mails = True, []  # type: ignore[attr-defined]
    monkeypatch.setenv("NUAN_SMTP", f"smtp://127.0.0.1:{server.server_address[1]}")
    yield from serving(server)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), HookSink)
    server.posts, server.answers = [], []  # type: ignore[attr-defined]
    monkeypatch.setenv("NUAN_WEBHOOK_SECRET", "between us")
    yield from serving(server)  # type: ignore[misc]


def told(channel: str, address: str, role: str = "dispatch", place: str = "C01", least: int = 2) -> Living:
    """The city with a route and one alarm of a station of C01 that goes by it."""
    build_city()
    add_notice_route(
        channel=channel, address=address, role=role, place_code=place, least_priority=least, actor="刘科", now=AS_OF
    )
    living = Living.warm()
    living.minute()
    living.values["H01-S01", "pressure"] = 9.0
    living.minute(2)
    return living


def test_a_mail_is_sent_once(mail) -> None:  # type: ignore[no-untyped-def]
    living = told("email", "chen@heat.example.cn")
    assert Notice.objects.get().state == "pending", "the engine only writes it down"
    assert deliver(living.now) == Delivery(sent=1)
    assert deliver(living.now + timedelta(hours=1)) == Delivery()
    ((said, body),) = mail.mails
    assert "rcpt TO:<chen@heat.example.cn>" in said
    assert f"Message-ID: <{Notice.objects.get().key}@nuan>" in body
    assert "9000" not in body


def test_a_mailbox_that_is_not_there_is_not_tried_again(mail) -> None:  # type: ignore[no-untyped-def]
    living = told("email", "nobody@heat.example.cn")
    assert deliver(living.now) == Delivery(dead=1)
    assert (Notice.objects.get().state, "550" in Notice.objects.get().error) == ("dead", True)


def test_a_webhook_is_signed_and_can_be_told_from_its_repetition(hook) -> None:  # type: ignore[no-untyped-def]
    hook.answers = [503]
    living = told("webhook", f"http://127.0.0.1:{hook.server_address[1]}/alarm")
    assert deliver(living.now) == Delivery(failed=1)
    assert deliver(living.now) == Delivery(), "not before its time"
    assert deliver(living.now + timedelta(seconds=30)) == Delivery(sent=1)
    (first, body), (second, again) = hook.posts
    assert (first["Idempotency-Key"], body) == (second["Idempotency-Key"], again)
    moment, digest = (part.split("=")[1] for part in second["Nuan-Signature"].split(","))
    assert digest == hmac.new(b"between us", f"{moment}.".encode() + again, hashlib.sha256).hexdigest()
    assert json.loads(again)["words_zh"] == "换热站压力过高"
    assert json.loads(again)["place"] == "第1换热站"


@pytest.mark.parametrize(("answer", "state"), [(400, "dead"), (302, "dead"), (429, "pending"), (500, "pending")])
def test_which_answers_are_worth_another_try(hook, answer: int, state: str) -> None:  # type: ignore[no-untyped-def]
    hook.answers = [answer]
    living = told("webhook", f"http://127.0.0.1:{hook.server_address[1]}/")
    deliver(living.now)
    assert Notice.objects.get().state == state
    assert len(hook.posts) == 1


def test_after_its_attempts_a_notice_is_dead_and_can_be_revived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUAN_SMS_FOLDER", str(tmp_path / "not there"))
    living = told("sms", "139 0000 1111")
    now = living.now
    for _ in range(MOST_ATTEMPTS):
        now += timedelta(hours=2)
        deliver(now)
    assert (Notice.objects.get().state, Notice.objects.get().attempts) == ("dead", MOST_ATTEMPTS)
    assert deliver(now + timedelta(days=1)) == Delivery()
    monkeypatch.setenv("NUAN_SMS_FOLDER", str(tmp_path))
    assert retry_notice(Notice.objects.get().pk, actor="陈调度", now=now)
    assert not retry_notice(Notice.objects.get().pk, actor="陈调度", now=now)
    assert deliver(now) == Delivery(sent=1)
    (written,) = tmp_path.glob("*.json")
    assert json.loads(written.read_text("utf-8"))["text"] == "[紧急] 第1换热站：换热站压力过高"


def test_a_worker_that_dies_leaves_its_notice_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dies:
        name = zh = "sms"

        def checked_address(self, address: str) -> str:
            return address

        def send(self, address: str, message: object) -> None:
            raise KeyboardInterrupt

    living = told("sms", "13900001111")
    with pytest.raises(KeyboardInterrupt):
        deliver(living.now, channels={"sms": Dies()})
    assert deliver(living.now) == Delivery(), "claimed"
    monkeypatch.setenv("NUAN_SMS_FOLDER", str(tmp_path))
    assert deliver(living.now + CLAIM) == Delivery(sent=1)


@pytest.mark.parametrize(
    ("role", "place", "least", "notices"),
    [
        pytest.param("dispatch", "C01", 1, 1, id="the company's dispatcher"),
        pytest.param("dispatch", "C02", 1, 0, id="another company's"),
        pytest.param("desk", "C01", 1, 0, id="a role that is not meant"),
        pytest.param("dispatch", "", 4, 1, id="the whole city"),
        pytest.param("banner", "150602", 1, 0, id="the banner hears when it is escalated"),
    ],
)
def test_who_is_told(role: str, place: str, least: int, notices: int) -> None:
    living = told("sms", "13900001111", role, place, least)
    assert Notice.objects.count() == notices
    living.minute(31)
    if role == "banner":
        assert Notice.objects.get().event == "escalate"


def test_a_storm_is_one_notice() -> None:
    living = told("sms", "13900001111", least=4)
    Notice.objects.all().delete()
    living.values["H01-S02", "flow"] = 0.0
    living.minute(6)
    living.values["H01-S02", "supply_temp"] = 10.0
    for door in (1, 2, 3):
        living.values[f"B002-1-0{door}01", "room_temp"] = 9.0
    living.minute(61)
    codes = Alarm.objects.filter(station_code="H01-S02").values_list("code", flat=True)
    assert sorted(codes) == ["home_cold"] * 3 + ["station_flow_none", "station_supply_low", "station_supply_rate"]
    assert Notice.objects.filter(alarm__station_code="H01-S02", event="raise").count() == 1


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("email", "chen"),
        ("email", "a@b\r\nBcc: c@d.cn"),
        ("webhook", "file:///etc/passwd"),
        ("webhook", "http://u:p@h/"),
        ("sms", "abc"),
        ("fax", "1"),
    ],
)
def test_addresses_that_lead_nowhere_are_refused(channel: str, address: str) -> None:
    with pytest.raises(AddressError):
        add_notice_route(
            channel=channel, address=address, role="dispatch", place_code="", least_priority=2, actor="刘科", now=AS_OF
        )


def test_a_route_that_is_removed_tells_nobody() -> None:
    living = told("sms", "13900001111")
    route = int(Notice.objects.get().key.split("-")[1])
    assert remove_notice_route(route, actor="刘科")
    assert not remove_notice_route(route, actor="刘科")
    living.values["H01-S02", "pressure"] = 9.0
    living.minute(2)
    assert Notice.objects.count() == 1


def test_two_workers_share_the_outbox() -> None:
    """The claim skips what another worker holds: its statement says so, and the row is moved before it is sent."""
    from nuan.operations.notify import outbox

    assert "SKIP LOCKED" in outbox._CLAIM
    told("sms", "13900001111")
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN "
            + outbox._CLAIM.replace("%(until)s", "now()").replace("%(now)s", "now()").replace("%(most)s", "1")
        )
        assert "LockRows" in "".join(row[0] for row in cursor.fetchall())
