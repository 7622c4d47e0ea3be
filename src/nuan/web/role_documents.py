"""The pages of docs/roles: words written by hand, and below them the addresses that the door opens, written by `make docs`."""

import re
from pathlib import Path

from nuan.records.accounts.visibility import MAY_OPEN
from nuan.web.urls import urlpatterns

ADDRESS = re.compile(r"^- `.*`\n", re.MULTILINE)


def pages_of(role: str) -> list[str]:
    """Addresses that the role may open."""
    routes = {pattern.name: f"/{pattern.pattern}" for pattern in urlpatterns}
    return [routes[name] for name, roles in MAY_OPEN.items() if role in roles]


def with_pages(text: str, role: str) -> str:
    """A role's document with its list of addresses as it is now."""
    kept = ADDRESS.sub("", text).rstrip("\n") + "\n"
    return kept + "\n" + "".join(f"- `{address}`\n" for address in pages_of(role))


def write(folder: Path) -> None:
    for path in folder.glob("*.md"):
        path.write_text(with_pages(path.read_text("utf-8"), path.stem), "utf-8")
