"""Hazards over the API: a token reports once for each key, sees its own, and never takes a step."""

import pytest
from django.test import Client

from nuan.operations.tokens import create_token
from nuan.records.hazards.models import Hazard
from small_hazards import bring_to, build_hazard

LEAK = {
    "key": "P-17:2026-01-05", "source": "leak_warning", "kind": "leak", "words": "补水量持续增大", "place_level": "pipe", "place_code": "P-17",
    "company": "C01", "banner": "150602",
}  # fmt: skip


@pytest.fixture
def as_token(city):  # type: ignore[no-untyped-def]
    def make(role: str = "city", **place: str) -> Client:
        text = create_token(name="试用", role=role, actor="刘科", **place)[1]
        return Client(headers={"Authorization": f"Bearer {text}"})

    return make


def post(client: Client, path: str, **body: object):  # type: ignore[no-untyped-def]
    return client.post(f"/api/v1{path}", body, content_type="application/json")


def test_a_report_delivered_twice_is_one_hazard(as_token) -> None:  # type: ignore[no-untyped-def]
    client = as_token("dispatch", company="C01")
    first, again = post(client, "/hazards", **LEAK), post(client, "/hazards", **LEAK | {"words": "又一次"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Hazard.objects.get().words == "补水量持续增大"
    assert client.get(f"/api/v1/hazards/{first.json()['code']}").json()["state"] == "reported"
    assert "words" not in first.json()


def test_a_token_steps_over_nobodys_eyes(as_token) -> None:  # type: ignore[no-untyped-def]
    found = bring_to(build_hazard(), "rectified")
    for client in (as_token("dispatch", company="C01"), as_token("banner", banner="150602"), as_token()):
        for event in ("pass", "fail", "note", "confirm"):
            answer = post(client, f"/hazards/{found.code}/steps", event=event, note="好了")
            assert (answer.status_code, "令牌" in answer.json()["detail"]) == (403, True)
    assert Hazard.objects.get().state == "rectified"


def test_sight_ends_at_the_company(as_token) -> None:  # type: ignore[no-untyped-def]
    found, stranger = build_hazard(), as_token("desk", company="C02")
    assert stranger.get(f"/api/v1/hazards/{found.code}").status_code == 404
    assert stranger.get("/api/v1/hazards").json()["count"] == 0
    assert post(stranger, f"/hazards/{found.code}/steps", event="pass").status_code == 404
    assert post(stranger, "/hazards", **LEAK).status_code == 404
    assert (
        post(stranger, "/hazards", **LEAK | {"place_level": "substation", "place_code": "H01-S01"}).status_code == 404
    )
    assert as_token("desk", company="C01").get("/api/v1/hazards?state=reported").json()["count"] == 1
    assert as_token("finance", company="C01").get("/api/v1/hazards").status_code == 404
    assert Client().get("/api/v1/hazards").status_code == 401


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"words": ""}, 422),
        ({"key": ""}, 422),
        ({"source": "x"}, 422),
        ({"longitude": 999}, 422),
        ({"place_code": ""}, 422),
        ({"key": "k" * 61}, 422),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused(as_token, changed: dict[str, object], status: int) -> None:  # type: ignore[no-untyped-def]
    assert post(as_token(), "/hazards", **LEAK | changed).status_code == status
    assert not Hazard.objects.exists()
