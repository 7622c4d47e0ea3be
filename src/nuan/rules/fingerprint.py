"""One hash over everything that decides: clause texts, rule sources, packs. Stored with every run."""

import hashlib
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable

_KINDS = (".py", ".yaml", ".txt")


def _walk(folder: Traversable, prefix: str) -> Iterable[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        name = f"{prefix}/{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, name)
        elif entry.name.endswith(_KINDS) and entry.name != "cases.yaml":
            yield name, entry.read_bytes().replace(b"\r\n", b"\n")


def fingerprint(*package_names: str) -> str:
    """SHA-256 of the source files of packages, by name; line endings do not matter, cases do not count.

    >>> len(fingerprint("nuan.rules"))
    64
    """
    digest = hashlib.sha256()
    for package in package_names or ("nuan.rules", "nuan.policies"):
        for name, content in _walk(files(package), package):
            digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()
