"""Payment files as they were handed in, kept by their content: first looked at, then taken in, later shown to an auditor."""

import hashlib
from pathlib import Path

from django.conf import settings


def _folder() -> Path:
    return Path(settings.NUAN_HOME) / "payment-files"


def keep(content: bytes) -> str:
    """The digest under which the content is found again."""
    digest = hashlib.sha256(content).hexdigest()
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{digest}.part"
    part.write_bytes(content)
    part.replace(folder / digest)
    return digest


def kept(digest: str) -> bytes | None:
    """None where it was never kept."""
    if len(digest) != 64 or not digest.isalnum():
        return None
    path = _folder() / digest
    return path.read_bytes() if path.is_file() else None
