"""The house of the tests: records in an embedded PostgreSQL of their own, never the one in ./var."""

import os
import tempfile
from pathlib import Path

# One folder for all workers of a run: they share the server, each has its own database (pytest-django names it).
_home = Path(os.environ.get("NUAN_TEST_HOME", Path(tempfile.gettempdir()) / f"nuan-tests-{os.getuid()}"))
_home.mkdir(parents=True, exist_ok=True)
os.environ["NUAN_HOME"] = str(_home)
os.environ.setdefault("NUAN_SECRET_KEY", "only-for-tests")
# Named here and not in pyproject.toml: the settings start the server, so they must be read after the lines above.
os.environ["DJANGO_SETTINGS_MODULE"] = "nuan.site.settings"
