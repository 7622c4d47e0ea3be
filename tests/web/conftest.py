"""The small city (tests/small_city.py) and clients signed in as its people."""

from collections.abc import Callable

import django
import pytest
from django.test import Client

django.setup()


@pytest.fixture
def city(db: None) -> None:
    from small_city import build_city, seat_the_cast

    build_city()
    seat_the_cast()


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
