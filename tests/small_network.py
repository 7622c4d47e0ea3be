"""The small city's company C01 with the ring of small_ring as its network; two of its three stations are in the registry."""

from datetime import datetime, timedelta

from nuan.network.graph.checks import findings
from nuan.operations.network_import import keep_network
from nuan.operations.network_tick import network_tick
from nuan.records.twin.models import NetworkVersion, ProtectedSite
from small_city import AS_OF
from small_ring import ring


def build_network(now: datetime | None = None) -> NetworkVersion:
    """Once; computed at `now` (the small city has no readings, so all heat follows from the file)."""
    there = NetworkVersion.objects.filter(company="C01").first()
    if there is not None:
        return there
    moment = now or AS_OF
    network = ring()
    done = keep_network(
        network, findings(network), source="ring.json", company="C01", actor="陈调度", now=moment - timedelta(days=30)
    ).required()
    ProtectedSite.objects.create(code="T1", name="暖城小学", kind="school", building_id="B001", heat_kw=80.0)
    network_tick(moment)
    assert done.version is not None
    return done.version
