"""Networks as files: read whatever format they come in, with all findings at once; keep and load the tables by their SHA-256."""

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path

from nuan.network.formats import epanet_inp, geojson, nuan_json, pandapipes_json
from nuan.network.graph import Network
from nuan.network.graph.checks import findings
from nuan.terms.findings import Finding

MOST_BYTES = 200_000_000


class NetworkGoneError(FileNotFoundError):
    """The records name tables that are not in NUAN_HOME any more."""

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"管网文件 {digest[:12]}… 不在 NUAN_HOME/network 里，请从备份恢复 / the tables {digest[:12]}… are not in NUAN_HOME/network"
        )


def read_network(text: str, name: str) -> tuple[Network, list[Finding]]:
    """A network from the text of a file, and everything that is wrong with it: what could not be read, then all checks.

    `name`: of the file; `.inp` is EPANET's, and of JSON the content says whether it is ours, GeoJSON or pandapipes'.
    """
    reader = epanet_inp.read if name.lower().endswith(".inp") else _json_reader(text)
    network, found = reader(text)
    if any(each.severity == "error" for each in found):
        return network, found
    return network, [*found, *findings(network)]


def _json_reader(text: str):  # type: ignore[no-untyped-def]
    """By its first words; what is none of the three is read as ours, whose reader says what is missing."""
    try:
        document = json.loads(text)
    except ValueError:
        return nuan_json.read
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        return geojson.read
    if isinstance(document, dict) and str(document.get("_class", "")).startswith("pandapipes"):
        return pandapipes_json.read
    return nuan_json.read


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def keep(home: Path, network: Network) -> str:
    """Write the tables under their digest, whole or not at all; again changes nothing."""
    text = nuan_json.write(network)
    digest = digest_of(text)
    path = _path(home, digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.new")
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return digest


def load(home: Path, digest: str) -> Network:
    """Raises NetworkGoneError for a file that is not there, or is not what its name says."""
    return _load(str(home), digest)


@lru_cache(maxsize=32)
def _load(home: str, digest: str) -> Network:
    try:
        text = _path(Path(home), digest).read_text("utf-8")
    except FileNotFoundError as error:
        raise NetworkGoneError(digest) from error
    if digest_of(text) != digest:
        raise NetworkGoneError(digest)
    return nuan_json.read(text)[0]


def _path(home: Path, digest: str) -> Path:
    return home / "network" / "tables" / f"{digest}.json"
