"""Measured data and texts of laws that are not Nuan's to ship: beside the repository, in ../shared. Where they are not, a test is skipped; not in CI."""

import os
from pathlib import Path

import pytest

MEASURED = Path(__file__).parents[2] / "shared" / "data"


def needs(path: Path) -> pytest.MarkDecorator:
    """In CI the test runs whether the data are there or not, and fails without them: nothing is passed over unseen."""
    return pytest.mark.skipif(
        not path.exists() and "CI" not in os.environ,
        reason=f"there is no ../{path.relative_to(MEASURED.parents[1])}",
    )
