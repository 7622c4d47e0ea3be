"""These stories need the records: Django is made ready before the tests import its models."""

import shutil
from pathlib import Path

import django
import pytest

django.setup()


@pytest.fixture(scope="session")
def town_readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The readings of the small town, to be copied by whoever changes them."""
    from judged_city import write_readings

    return write_readings(tmp_path_factory.mktemp("town") / "readings")


@pytest.fixture
def own_readings(town_readings: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(town_readings, tmp_path / "readings"))


@pytest.fixture
def registered(db: None) -> None:
    from judged_city import register

    register()
