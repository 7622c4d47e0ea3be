"""A browser set up in English shows Chinese until somebody asks for English; a language that is not there changes nothing."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("cookie", "language"),
    [
        pytest.param(None, "zh-hans", id="nobody chose"),
        pytest.param("en", "en", id="English was chosen"),
        pytest.param("zh-hans", "zh-hans", id="Chinese was chosen"),
        pytest.param("xx", "zh-hans", id="a language that is not there"),
    ],
)
def test_only_a_choice_changes_the_language(client, cookie: str | None, language: str) -> None:
    if cookie:
        client.cookies["django_language"] = cookie
    answer = client.get("/login/", HTTP_ACCEPT_LANGUAGE="en-US,en;q=0.9")
    assert answer.headers["Content-Language"] == language
    assert f'<html lang="{"en" if language == "en" else "zh-CN"}">' in answer.content.decode()
