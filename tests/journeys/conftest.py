"""A browser for the journeys: Debian's Chromium, driven by Playwright. Without it the journeys fail; they are not skipped."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import django
import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, sync_playwright

django.setup()

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class ChromiumMissingError(FileNotFoundError):
    def __init__(self) -> None:
        super().__init__(f"{CHROMIUM} is not there; the journeys need Debian's chromium (.ci/run installs it)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one file: Playwright's loop runs in this thread as long as it is there, and other files' tests have loops of their own."""
    if not CHROMIUM.exists():
        raise ChromiumMissingError
    # Django must not take Playwright's loop for asynchronous code
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def live_city(live_server) -> str:  # type: ignore[no-untyped-def]
    """The small city behind a real port; the address of it."""
    from small_city import build_city, seat_the_cast

    build_city()
    seat_the_cast()
    return str(live_server.url)


@pytest.fixture
def visit(browser: Browser, live_city: str) -> Iterator[Callable[..., BrowserContext]]:
    """A browser signed in as somebody of the cast."""
    contexts: list[BrowserContext] = []

    def open_as(name: str | None, width: int = 1280, javascript: bool = True) -> BrowserContext:
        from nuan.records.accounts.models import User

        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=javascript, base_url=live_city, locale="zh-CN"
        )
        if name is not None:
            client = Client()
            client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
            context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_city}])
        contexts.append(context)
        return context

    yield open_as
    for context in contexts:
        context.close()
