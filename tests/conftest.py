"""The house of the tests: records in an embedded PostgreSQL of their own, never the one in ./var."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

# One folder for all workers of a run: they share the server, each has its own database (pytest-django names it).
_home = Path(os.environ.get("NUAN_TEST_HOME", Path(tempfile.gettempdir()) / f"nuan-tests-{os.getuid()}"))
_home.mkdir(parents=True, exist_ok=True)
os.environ["NUAN_HOME"] = str(_home)
os.environ.setdefault("NUAN_SECRET_KEY", "only-for-tests")
# Named here and not in pyproject.toml: the settings start the server, so they must be read after the lines above.
os.environ["DJANGO_SETTINGS_MODULE"] = "nuan.site.settings"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first: with several workers the others work off the rest meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Before the test database is dropped, whoever is still connected has to leave: a browser keeps a page's connection, and with
    it the thread that answered, for a moment longer than the last test."""
    yield
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def city(db: None) -> None:
    """The small city (tests/small_city.py) with its cast."""
    from small_city import build_city, seat_the_cast, seat_the_gateways

    build_city()
    seat_the_cast()
    seat_the_gateways()


@pytest.fixture
def support_rows(city: None) -> None:
    """Assets, repairs, funds, subsidies and debts of the small city (tests/small_support.py)."""
    from small_support import build_support

    build_support()


@pytest.fixture
def as_cast(city: None) -> Callable[[str | None], Client]:
    """A client signed in as somebody of the cast, or as nobody."""
    from nuan.records.accounts.models import User

    def sign_in(name: str | None) -> Client:
        client = Client()
        if name is not None:
            client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
